//! Variables of responders: any text, as lines and as a tree. See `drafted` for the checks.

use super::drafted;
use mailsetup::import::{environment, yaml};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    drafted::run(data, environment::read_lines("file", text));
    if let Ok(documents) = yaml::read(text) {
        drafted::run(data, environment::read_tree("file", &documents));
    }
}
