//! What every suite is made of: a list of cases, a rig to run them on, and the macro that turns the list into tests.
//!
//! A suite module declares its list once, with `suite!`; from it come `CASES`, `run_case`, `report`, and the exported macro that an
//! adapter calls. A case is an `async fn(&dyn SomeRig) -> Check` named as its test:
//!
//! ```text
//! suite! { ($) lease_store_suite in leases, "lease store", dyn LeaseRig, 1;
//!     L01 "1" l01_one_holder_of_many_at_once "of many who ask at once for a free portfolio exactly one is granted its lease",
//! }
//! ```
//!
//! The `($)` lets the macro write a macro; the number is that of the cases, and the compiler checks it.

use crate::{Case, Check, Verdict};
use crate::{CaseReport, Report};
use futures_util::future::BoxFuture;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// What every rig brings, whatever the port: a fresh one is made for each case, so that cases know nothing of one another.
pub trait Rig: Sync {
    /// The adapter, as the report is to call it.
    fn adapter(&self) -> String;

    /// What the adapter declares about itself, one line each. Nothing, unless it says otherwise.
    fn capabilities(&self) -> Vec<String> {
        Vec::new()
    }

    /// Drives a case to its end. As it is, on this thread, which sleeps while nothing can go on ([`block_on`]); a rig whose adapter
    /// needs a runtime, or a clock that moves when nothing else does, brings its own. Without it a case that sleeps by such a clock
    /// never ends, and says nothing; `ManualClock::run` of the memory crate moves time and reports a case that is stuck.
    fn run(&self, case: BoxFuture<'_, Check>) -> Check {
        block_on(case)
    }
}

/// How a case is started on a rig.
pub type Body<R> = fn(&R) -> BoxFuture<'_, Check>;

/// A port's suite.
#[derive(Debug)]
pub struct Suite<R: ?Sized + 'static> {
    /// The port, in words.
    pub port: &'static str,
    /// The cases, in the order of their ids.
    pub cases: &'static [(Case, Body<R>)],
}

impl<R: Rig + ?Sized> Suite<R> {
    /// Runs the case of this id. A case that panics has failed; so has one that does not exist.
    pub fn run_one(&self, rig: &R, id: &str) -> Verdict {
        match self.cases.iter().find(|(case, _)| case.id == id) {
            Some((_, body)) => run(rig, *body),
            None => Verdict::Failed { why: format!("the {} suite has no case {id}", self.port) },
        }
    }

    /// Runs every case, each on a rig of its own.
    pub fn report(&self, fresh: impl Fn() -> Box<R>) -> Report {
        let rig = fresh();
        let (adapter, capabilities) = (rig.adapter(), rig.capabilities());
        drop(rig);
        let cases = self.cases.iter().map(|(case, body)| CaseReport::new(case, &run(&*fresh(), *body))).collect();
        let suite_version = env!("CARGO_PKG_VERSION");
        Report { port: self.port, adapter, adapter_version: None, suite_version, capabilities, cases }
    }
}

fn run<R: Rig + ?Sized>(rig: &R, body: Body<R>) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| rig.run(body(rig)))) {
        Ok(check) => check.into(),
        Err(panic) => Verdict::Failed { why: format!("the case panicked: {}", words(&*panic)) },
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// What the test of one case says: nothing if it passed.
///
/// # Errors
/// Why the test fails, and what to do about it.
pub fn check_case(case: &Case, verdict: &Verdict) -> Result<(), String> {
    let Case { id, contract, promise, .. } = case;
    match verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed { why } => Err(format!("{id} (contract {contract}): {promise}\n  {why}")),
        Verdict::Skipped { excuse } => {
            Err(format!("{id} is skipped: {excuse}\n  say so in the macro call: skipped: [{id}]"))
        }
        Verdict::NotShown { missing } => Err(format!(
            "{id} is not shown: the rig cannot {missing}\n  teach it, or say so in the macro call: not_shown: [{id}]"
        )),
    }
}

/// Whether exactly those cases are not shown, and exactly those skipped, that the macro call lists.
///
/// # Errors
/// Every difference, one line each. A case that failed without being listed is left to its own test.
pub fn check_declared(report: &Report, not_shown: &[&str], skipped: &[&str]) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (word, listed) in [("not shown", not_shown), ("skipped", skipped)] {
        for id in listed {
            match report.cases.iter().find(|case| case.id == *id) {
                None => wrong.push(format!("{id} is listed as {word}, but there is no such case")),
                Some(case) if case.verdict != word => {
                    wrong.push(format!("{id} is listed as {word}, but {}: {}", case.verdict, case.detail));
                }
                Some(_) => {}
            }
        }
        for case in report.cases.iter().filter(|case| case.verdict == word && !listed.contains(&case.id)) {
            wrong.push(format!("{} is {word} ({}), but not listed", case.id, case.detail));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n\n{report}", wrong.join("\n"))) }
}

/// Drives a future to its end on this thread, which sleeps while it waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

/// Declares a suite; see the top of this file. The exported macro has the form
/// `name!(rig)`, with `not_shown: […]` and `skipped: […]` after it in this order, each if needed.
macro_rules! suite {
    (($d:tt) $macro_name:ident in $module:ident, $port:literal, dyn $rig:ident, $count:literal;
     $( $id:ident $contract:literal $name:ident $promise:literal, )+) => {
        /// The suite itself.
        pub const SUITE: $crate::suite::Suite<dyn $rig> = $crate::suite::Suite { port: $port, cases: &BODIES };

        /// The cases, in the order of their ids.
        ///
        /// | case | contract | promise | test |
        /// |---|---|---|---|
        $(#[doc = concat!("| ", stringify!($id), " | ", $contract, " | ", $promise, " | `", stringify!($name), "` |")])+
        pub const CASES: [$crate::Case; $count] = [$(
            $crate::Case { id: stringify!($id), name: stringify!($name), contract: $contract, promise: $promise },
        )+];

        const BODIES: [($crate::Case, $crate::suite::Body<dyn $rig>); $count] = [$((
            $crate::Case { id: stringify!($id), name: stringify!($name), contract: $contract, promise: $promise },
            |rig| Box::pin($name(rig)),
        ),)+];

        /// Runs the case of this id on this rig.
        pub fn run_case(rig: &(dyn $rig + 'static), id: &str) -> $crate::Verdict {
            SUITE.run_one(rig, id)
        }

        /// Runs every case, each on a fresh rig.
        pub fn report(fresh: impl Fn() -> Box<dyn $rig>) -> $crate::Report {
            SUITE.report(fresh)
        }

        #[doc = concat!("Makes a test of each case of the ", $port, " suite, and `the_report_is_as_declared`.")]
        ///
        /// Takes an expression that makes a fresh rig, and, if there are any, the cases that the rig cannot show and those that a
        /// declared capability excuses: `(MyRig::new(), not_shown: [X01], skipped: [X02])`. Their tests are ignored, and the report
        /// must say of them, and of no others, what the lists say. At most one call per module.
        #[macro_export]
        macro_rules! $macro_name {
            ($d fresh:expr $d(, not_shown: [$d($d missing:ident),* $d(,)?])? $d(, skipped: [$d($d excused:ident),* $d(,)?])? $d(,)?) => {
                $d crate::__suite_tests! {
                    ($d) $module, dyn $rig, $d fresh,
                    [$d($d($d missing)*)?] [$d($d($d excused)*)?] [$($id $name)+]
                }
            };
        }
    };
}
pub(crate) use suite;

/// The tests of one macro call. Not for use by hand.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite_tests {
    (($d:tt) $module:ident, dyn $rig:ident, $fresh:expr, [$($missing:ident)*] [$($excused:ident)*] [$($id:ident $name:ident)+]) => {
        fn __fresh_rig() -> ::std::boxed::Box<dyn $crate::$module::$rig> {
            ::std::boxed::Box::new($fresh)
        }

        fn __run_case(id: &str) {
            let verdict = $crate::$module::run_case(&*__fresh_rig(), id);
            if let Some(case) = $crate::$module::CASES.iter().find(|case| case.id == id) {
                let checked = $crate::suite::check_case(case, &verdict);
                assert!(checked.is_ok(), "{}", checked.err().unwrap_or_default());
            }
        }

        // One arm for each listed case, so that its test is ignored; the last arm is for all others.
        macro_rules! __case {
            $(($missing $d name:ident) => {
                #[test]
                #[ignore = "not shown: the rig cannot make it happen"]
                fn $d name() {
                    __run_case(stringify!($missing));
                }
            };)*
            $(($excused $d name:ident) => {
                #[test]
                #[ignore = "skipped: a declared capability excuses it"]
                fn $d name() {
                    __run_case(stringify!($excused));
                }
            };)*
            ($d id:ident $d name:ident) => {
                #[test]
                fn $d name() {
                    __run_case(stringify!($d id));
                }
            };
        }
        $(__case!($id $name);)+

        #[test]
        fn the_report_is_as_declared() {
            // The version of the crate that calls the macro.
            let report = $crate::$module::report(__fresh_rig).of_version(env!("CARGO_PKG_VERSION"));
            println!("{report}");
            let saved = report.save_if_wanted();
            assert!(saved.is_ok(), "the report could not be saved: {}", saved.err().map_or_else(String::new, |e| e.to_string()));
            let checked =
                $crate::suite::check_declared(&report, &[$(stringify!($missing)),*], &[$(stringify!($excused)),*]);
            assert!(checked.is_ok(), "{}", checked.err().unwrap_or_default());
        }
    };
}
