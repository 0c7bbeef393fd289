//! Which known word somebody most likely meant.

/// The known word that `written` is the beginning of, or else the one with the fewest changes from it; of equals the first.
/// `None` if nothing is known.
pub(crate) fn nearest<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let begins = |word: &str| written.len() > 2 && word.starts_with(written);
    known.into_iter().min_by_key(|word| if begins(word) { 1 } else { distance(written, word) })
}

/// The same, but nothing that is more than two changes away or shares no letter with `written`.
pub(crate) fn similar<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    nearest(written, known).filter(|word| distance(written, word) < written.len().min(3))
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut two_above: Vec<usize> = Vec::new();
    let mut last = None;
    // A key as long as a book is nobody's slip: its beginning tells enough.
    for (row, letter) in from.to_lowercase().chars().take(64).enumerate() {
        let mut left = row.saturating_add(1);
        let mut here = vec![left];
        for (column, other) in to.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, column).saturating_add(usize::from(letter != *other));
            let removed = at(&above, column.saturating_add(1)).saturating_add(1);
            let mut best = replaced.min(removed).min(left.saturating_add(1));
            let before = column.checked_sub(1);
            if let Some(before) = before
                && last == Some(*other)
                && to.get(before) == Some(&letter)
            {
                best = best.min(at(&two_above, before).saturating_add(1));
            }
            here.push(best);
            left = best;
        }
        two_above = std::mem::replace(&mut above, here);
        last = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_one_change() {
        for (from, to, changes) in [
            ("", "", 0),
            ("", "cash", 4),
            ("cash", "", 4),
            ("cash", "cash", 0),
            ("Cash", "cash", 0),
            ("cahs", "cash", 1),
            ("cas", "cash", 1),
            ("ccash", "cash", 1),
            ("cush", "cash", 1),
            ("holding", "holdings", 1),
        ] {
            assert_eq!(distance(from, to), changes, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_is_found_and_ties_go_to_the_first() {
        assert_eq!(nearest("bnad", ["measure", "band", "relative"]), Some("band"));
        assert_eq!(nearest("minimum", ["measure", "minimum_order"]), Some("minimum_order"));
        assert_eq!(nearest("x", ["ab", "cd"]), Some("ab"));
        assert_eq!(nearest("x", []), None);
        assert_eq!(similar("GOOG", ["AAPL", "GOOGL"]), Some("GOOGL"));
        assert_eq!(similar("GOOG", ["AAPL"]), None);
        assert_eq!(similar("F", ["T"]), None);
    }
}
