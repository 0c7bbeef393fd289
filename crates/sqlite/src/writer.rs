//! The writer: one thread that owns the one connection that writes, fed by a channel.
//!
//! Requests that wait together share one transaction, and so one sync of the disk: a group. Where the last group had several, the next waits a
//! moment for as many: whoever was just answered is likely to come again. Whoever writes alone never waits.
//!
//! Each request is judged alone, in the order they came; one that is refused writes nothing, and the others go on. If one of them fails, the
//! whole group is rolled back and each is tried in a transaction of its own, so that none suffers from another. Nobody is answered before the
//! transaction is durable.

use crate::error::{Unwritten, explained};
use crate::identity::Identity;
use evenkeel_domain::values::PortfolioId;
use futures_channel::oneshot;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// The most requests that share a transaction.
const GROUP: usize = 256;
/// The most that wait; whoever comes then waits for a place.
const QUEUE: usize = 4_096;
/// How long a group waits for one more: far less than a sync takes.
const MOMENT: Duration = Duration::from_micros(20);

/// What is written or read: who reads waits for what was handed over before about the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    Portfolio(PortfolioId),
    Halts,
    Everything,
}

/// How much was handed over about what, and has not ended.
#[derive(Debug, Default)]
struct UnderWay(Mutex<BTreeMap<About, usize>>);

impl UnderWay {
    fn begin(&self, about: About) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(about).or_default();
        *count = count.saturating_add(1);
    }

    fn end(&self, about: &About) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(about) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => drop(counts.remove(about)),
        }
    }

    fn concerns(&self, about: &About) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.contains_key(about) || (*about == About::Everything && !counts.is_empty())
    }
}

/// Something to be written: judged inside a transaction, perhaps more than once, and told the end once.
pub(crate) trait Request: Send {
    fn about(&self) -> &About;
    /// Judges and writes. An error means that the transaction must be rolled back.
    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// Answers whoever asked.
    fn settle(self: Box<Self>, end: Result<(), Unwritten>);
}

struct Asked<T, W> {
    about: About,
    work: W,
    made: Option<T>,
    reply: oneshot::Sender<Result<T, Unwritten>>,
}

impl<T: Send, W: FnMut(&Connection) -> rusqlite::Result<T> + Send> Request for Asked<T, W> {
    fn about(&self) -> &About {
        &self.about
    }

    fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.made = Some((self.work)(connection)?);
        Ok(())
    }

    fn settle(self: Box<Self>, end: Result<(), Unwritten>) {
        let Self { made, reply, .. } = *self;
        let not_judged = || Unwritten::Nothing("it was not judged".to_owned());
        // Whoever asked may have gone: what was written stays written.
        drop(reply.send(end.and_then(|()| made.ok_or_else(not_judged))));
    }
}

/// The way to the writer's thread, which ends when this is dropped.
pub(crate) struct Writer {
    requests: Option<SyncSender<Box<dyn Request>>>,
    thread: Option<JoinHandle<()>>,
    under_way: Arc<UnderWay>,
    blocking: bool,
    #[cfg(test)]
    pub(crate) fault: Arc<std::sync::Mutex<Option<Fault>>>,
    /// How many were begun.
    pub(crate) transactions: Arc<AtomicUsize>,
}

/// What tests make of the next group.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is written, and nobody is answered.
    SilentAfter,
    /// It is not written, and nobody is answered.
    SilentBefore,
}

impl Writer {
    pub(crate) fn start(connection: Connection, file: Identity, blocking: bool) -> std::io::Result<Self> {
        let (requests, waiting) = sync_channel(QUEUE);
        let under_way = Arc::new(UnderWay::default());
        let writing = Writing {
            connection,
            file,
            under_way: Arc::clone(&under_way),
            #[cfg(test)]
            fault: Arc::default(),
            transactions: Arc::default(),
        };
        #[cfg(test)]
        let fault = Arc::clone(&writing.fault);
        let transactions = Arc::clone(&writing.transactions);
        let builder = std::thread::Builder::new().name("evenkeel-store".to_owned());
        let thread = builder.spawn(move || writing.run(&waiting))?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
            under_way,
            blocking,
            #[cfg(test)]
            fault,
            transactions,
        })
    }

    /// Has `work` done in a transaction, and gives what it made once that is durable. Handed over when this returns; dropping the answer
    /// changes nothing.
    pub(crate) fn write<T, W>(
        &self,
        about: About,
        work: W,
    ) -> impl Future<Output = Result<T, Unwritten>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.under_way.begin(about.clone());
        let request = Box::new(Asked { about: about.clone(), work, made: None, reply });
        let handed_over = self.requests.as_ref().is_some_and(|requests| requests.send(request).is_ok());
        if !handed_over {
            self.under_way.end(&about);
        }
        let blocking = self.blocking;
        async move {
            match if blocking { blocked(answer) } else { answer.await } {
                Ok(answer) => answer,
                Err(_) if handed_over => Err(Unwritten::Unknown("the store's writer gave no answer".to_owned())),
                Err(_) => Err(Unwritten::Nothing("the store's writer has stopped: open the store again".to_owned())),
            }
        }
    }

    /// Waits until everything that was handed over before about this has ended, so that whoever reads afterwards sees what became of it.
    pub(crate) async fn settled(&self, about: About) {
        if self.under_way.concerns(&about) {
            // However this ends, what came before it has ended.
            drop(self.write(about, |_| Ok(())).await);
        }
    }
}

impl Writer {
    /// Writes what waits, and ends.
    pub(crate) fn stop(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to close.
            drop(thread.join());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits on this thread, which sleeps meanwhile.
fn blocked<F: Future>(answer: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut answer = std::pin::pin!(answer);
    loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        std::thread::park();
    }
}

struct Writing {
    connection: Connection,
    file: Identity,
    under_way: Arc<UnderWay>,
    #[cfg(test)]
    fault: Arc<std::sync::Mutex<Option<Fault>>>,
    transactions: Arc<AtomicUsize>,
}

impl Writing {
    fn run(mut self, waiting: &Receiver<Box<dyn Request>>) {
        let mut last = 0;
        while let Ok(first) = waiting.recv() {
            let mut group = vec![first];
            group.extend(waiting.try_iter().take(GROUP.saturating_sub(1)));
            while group.len() < last
                && let Ok(more) = waiting.recv_timeout(MOMENT)
            {
                group.push(more);
            }
            last = group.len();
            self.group(group);
        }
    }

    fn group(&mut self, mut group: Vec<Box<dyn Request>>) {
        #[cfg(test)]
        if self.falls_silent(&mut group) {
            return;
        }
        let end = self.transaction(&mut group);
        if group.len() > 1 && matches!(end, Err(Failed { alone: true, .. })) {
            for request in group {
                let mut alone = [request];
                let end = self.transaction(&mut alone).map_err(|failed| failed.proves);
                self.settle(alone, &end);
            }
        } else {
            self.settle(group, &end.map_err(|failed| failed.proves));
        }
    }

    fn settle(&self, group: impl IntoIterator<Item = Box<dyn Request>>, end: &Result<(), Unwritten>) {
        for request in group {
            // First this: whoever is answered and reads has nothing to wait for.
            self.under_way.end(request.about());
            request.settle(end.clone());
        }
    }

    /// Writes a group in one transaction.
    fn transaction(&mut self, group: &mut [Box<dyn Request>]) -> Result<(), Failed> {
        self.file.check().map_err(|message| Failed { proves: Unwritten::Nothing(message), alone: false })?;
        self.transactions.fetch_add(1, Ordering::SeqCst);
        let begun = self.connection.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(|e| Failed::before_commit("beginning a transaction", &e, false))?;
        for request in group {
            if let Err(error) = request.write(&self.connection) {
                let failed = Failed::before_commit("writing", &error, true);
                self.roll_back();
                return Err(failed);
            }
        }
        if let Err(error) = self.connection.execute_batch("COMMIT") {
            let proves = Unwritten::of_commit(&error);
            self.roll_back();
            // What is too much for the disk together may fit one by one.
            return Err(Failed { alone: matches!(proves, Unwritten::Nothing(_)), proves });
        }
        // A file that was taken away meanwhile holds the transaction, and is nobody's any more.
        self.file.check().map_err(|message| Failed { proves: Unwritten::Unknown(message), alone: false })
    }

    /// Some errors roll back by themselves. Should it fail, the next BEGIN fails too: nothing is written on top of what is left.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }

    #[cfg(test)]
    fn falls_silent(&mut self, group: &mut Vec<Box<dyn Request>>) -> bool {
        let fault = self.fault.lock().unwrap().take();
        if fault == Some(Fault::SilentAfter) {
            assert!(self.transaction(group).is_ok());
        }
        if fault.is_some() {
            group.drain(..).for_each(|request| self.under_way.end(request.about()));
        }
        fault.is_some()
    }
}

struct Failed {
    proves: Unwritten,
    /// True if each request of the group may do better in a transaction of its own.
    alone: bool,
}

impl Failed {
    /// Without a COMMIT nothing is written, whatever happened.
    fn before_commit(doing: &str, error: &rusqlite::Error, alone: bool) -> Self {
        Self { proves: Unwritten::Nothing(format!("{doing}: {}", explained(error))), alone }
    }
}
