//! Price sources: a seeded fake NASDAQ, and recorded prices from CSV.
