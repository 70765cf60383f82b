//! Sorting of what commands and checks print or read.
//!
//! The sort of the standard library is compiled for each type and each comparison, 6 KB every time:
//! here, only the last step is. It takes a little longer, so a request does not use it, nor do lists
//! of domains.

use std::cmp::Ordering;

/// Sorts by a comparison; equal items stay in their order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut places = places(items.len(), &|one, other| compare(&items[one], &items[other]));
    for index in 0..items.len() {
        // Each swap brings one item to its place.
        while places[index] != index {
            let place = places[index];
            items.swap(index, place);
            places.swap(index, place);
        }
    }
}

/// Sorts by a key; equal items stay in their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// The place of each item in the order.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut places = vec![0; count];
    for (place, index) in order.into_iter().enumerate() {
        places[index] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_standard_library() {
        let mut state = 1_u32;
        for count in [0, 1, 2, 3, 7, 20, 21, 500] {
            // Few keys, so that many items are equal.
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 29
            };
            let items: Vec<(u32, usize)> = (0..count).map(|index| (next(), index)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            let mut sorted = items.clone();
            sort_by_key(&mut sorted, |(key, _)| *key);
            assert_eq!(sorted, expected);

            expected.sort_by_key(|one| std::cmp::Reverse(one.0));
            sort_by(&mut sorted, |one, other| other.0.cmp(&one.0));
            assert_eq!(sorted, expected);
        }
    }
}
