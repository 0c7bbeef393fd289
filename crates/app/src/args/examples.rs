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
      With fees, delays, lost answers and refusals";

pub(super) const CHECK: &str = "\
Examples:
  evenkeel check --portfolios examples/portfolios.toml
      Says that it is in order, or lists every fault and exits with 2
  evenkeel check --portfolios - < many.jsonl
      JSON lines, one portfolio per line, from standard input";

pub(super) const COMPLETIONS: &str = "\
Examples:
  evenkeel completions bash > ~/.local/share/bash-completion/completions/evenkeel
  evenkeel completions zsh > \"${fpath[1]}/_evenkeel\"
  evenkeel completions fish > ~/.config/fish/completions/evenkeel.fish";
