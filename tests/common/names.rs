//! Names of customers' domains: as long as usual ones (20 to 27 bytes), in an order without meaning,
//! and the same in every run.

/// What they begin with, which sets their length.
const BEGINNINGS: [&str; 8] = [
    "store",
    "studio",
    "gallery",
    "customer",
    "carpenter",
    "restaurant",
    "real-estate",
    "pharmaceutic",
];

/// The most that there are.
const MAX: usize = 1_000_000;

/// A sequence of numbers without meaning (xorshift64).
pub struct Numbers(u64);

impl Numbers {
    /// `seed` selects the sequence; it must not be 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one, less than `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// So many names, `customer-000003.example` and similar.
pub fn names(count: usize) -> Vec<String> {
    assert!(count <= MAX, "{count}");
    let name = |number: usize| format!("{}-{number:06}.example", BEGINNINGS[number % 8]);
    let mut names: Vec<_> = (0..count).map(name).collect();
    shuffle(&mut names, 1);
    names
}

/// Changes the order.
pub fn shuffle<T>(values: &mut [T], seed: u64) {
    let mut numbers = Numbers::new(seed);
    for last in (1..values.len()).rev() {
        values.swap(last, numbers.below(last + 1));
    }
}

/// One a line.
pub fn lines(names: &[String]) -> String {
    let mut text = names.join("\n");
    text.push('\n');
    text
}
