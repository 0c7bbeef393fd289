//! The worked examples that each command's help ends with.

/// Behind the list of commands.
pub(super) const ALL: &str = "\
Examples:
  evenkeel demo
      Watch portfolios drift on a made-up market and be brought back
  evenkeel check --portfolios examples/portfolios.toml
      Every fault in your portfolios, with its line and what would be right
  evenkeel prices --days 500 > prices.csv
  evenkeel plan --portfolios examples/portfolios.toml --prices prices.csv
      What would be traded now, and why

Exit codes:
  0 done, 1 something needs a person, 2 bad usage or input, 3 a dependency failed, 130 interrupted

EVENKEEL_LOG sets what is logged on standard error: warn (the default), debug, …";

pub(super) const DEMO: &str = "\
Examples:
  evenkeel demo
      The story from a price change to a stale portfolio that is resolved
  evenkeel demo --seed 7 --ticks 1000
      Another market, for longer";

pub(super) const PRICES: &str = "\
Examples:
  evenkeel prices
      A year of ten symbols
  evenkeel prices --seed 42 --days 1250 --symbols 50 > prices.csv
      Five years of fifty symbols; the same seed gives the same file
  evenkeel prices --days 30 | evenkeel plan --portfolios examples/portfolios.toml --prices -
      A plan at made-up prices";

pub(super) const PLAN: &str = "\
Examples:
  evenkeel plan --portfolios examples/portfolios.toml --prices prices.csv
      Each portfolio: its drift, its trades, and why the rest is left alone
  evenkeel plan --portfolios many.jsonl --prices prices.csv --format json | jq .drift
      The drift of each of many
  evenkeel plan --portfolios mine.toml --prices prices.csv --measure relative --band 10
      What would be traded if all of them had this policy
  evenkeel plan --portfolios mine.toml --prices prices.csv --max-price-age 3d
      Refuse portfolios with a price more than three days older than the newest

Every symbol that a portfolio holds or targets must have a price. A fault in any file ends the
command with exit code 2, before anything is printed to standard output.";

pub(super) const REPLAY: &str = "\
Examples:
  evenkeel replay --portfolios examples/portfolios.toml --prices prices.csv
      Every rebalance there would have been, and how it ended
  evenkeel replay --portfolios mine.toml --prices prices.csv --format json > records.jsonl
      The same as records, one per line
  evenkeel replay --portfolios mine.toml --prices prices.csv --broker banchile --profile storm
      With fees, delays, lost answers and refusals
  for band in 1 2 5 10 20; do
    evenkeel replay --portfolios mine.toml --prices prices.csv --broker banchile \\
      --measure relative --band $band --records summary
  done
      What each band comes to, in one line: value, turnover, fees and cost

cost is the fees and the slippage against the planned prices, what was traded back included.
A policy is tried without --store, which would keep it.";

pub(super) const CHECK: &str = "\
Examples:
  evenkeel check --portfolios examples/portfolios.toml
      Says that it is in order, or lists every fault and exits with 2
  evenkeel check --portfolios - < many.jsonl
      JSON lines, one portfolio per line, from standard input";

pub(super) const STATUS: &str = "\
Examples:
  evenkeel status --store evenkeel.db
      Every portfolio, open batches, leases, alerts and halts; exits with 1 if something needs a person
  evenkeel status --store evenkeel.db --portfolio growth --format json
      One of them, as a record

It changes nothing, and works while another process runs on the store, and without one.";

pub(super) const ALERTS: &str = "\
Examples:
  evenkeel alerts --store evenkeel.db
      What a person must be told, oldest first; exits with 1 if there is anything
  evenkeel alerts --store evenkeel.db --acknowledge
      The same, and takes it off the list: for whoever has read it";

pub(super) const AUDIT: &str = "\
Examples:
  evenkeel audit --store evenkeel.db --portfolio growth
      Everything that happened to a portfolio, oldest first
  evenkeel audit --store evenkeel.db --batch 3f0e5c1a-8f5d-5b0e-9a55-0c5a3d1f7b11 --format csv
      One batch, for a spreadsheet
  evenkeel audit --store evenkeel.db --verify
      Whether any record was changed, lost or swapped; exits with 1 and names the first if so";

pub(super) const HALT: &str = "\
Examples:
  evenkeel halt --store evenkeel.db --everything --who ann --why \"the price feed is wrong\"
      From now on no order is intended by any process on this store; open batches are frozen
  evenkeel halt --store evenkeel.db --symbol META --mode unwind --who ann --why \"a split is coming\"
      Open batches with META are traded back, and no new one has it

A halt stands until it is released, also over restarts. Open batches notice within a second.";

pub(super) const RELEASE: &str = "\
Examples:
  evenkeel release --store evenkeel.db --everything --who ann --why \"the feed is right again\"
      Halts of single portfolios and symbols stay as they are
  evenkeel release --store evenkeel.db --symbol META --who ann --why \"the split is booked\"

Batches that were frozen go on when they are recovered: at the next start, or by a process that runs.";

pub(super) const RECOVER: &str = "\
Examples:
  evenkeel recover --store evenkeel.db --bank bank.db
      Takes over every batch whose process has ended, and finishes or unwinds it

A batch that a running process works on is left to it.";

pub(super) const RECONCILE: &str = "\
Examples:
  evenkeel reconcile --store evenkeel.db --bank bank.db
      Every portfolio; exits with 1 if one differs, which quarantines it
  evenkeel reconcile --store evenkeel.db --bank bank.db --portfolio growth
      One of them; a clean comparison ends its quarantine";

pub(super) const RESOLVE: &str = "\
Examples:
  evenkeel resolve --store evenkeel.db --bank bank.db --portfolio growth --retry --who ann --why \"the broker is well again\"
      The reverse orders that are left are tried once more
  evenkeel resolve --store evenkeel.db --bank bank.db --portfolio growth --accept --who ann --why \"looked at it\" --yes
      What the broker holds becomes the books; nothing is traded";

pub(super) const ABORT: &str = "\
Examples:
  evenkeel abort --store evenkeel.db --bank bank.db --portfolio growth --who ann --why \"wrong targets\"
      What its open batch has executed is traded back";

pub(super) const COMPLETIONS: &str = "\
Examples:
  evenkeel completions bash > ~/.local/share/bash-completion/completions/evenkeel
  evenkeel completions zsh > \"${fpath[1]}/_evenkeel\"
  evenkeel completions fish > ~/.config/fish/completions/evenkeel.fish";
