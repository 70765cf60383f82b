//! Seeds and rows of automx2, and the YAML of go-autoconfig and solarssk: any tree. See `drafted` for
//! the checks.

use super::drafted;
use mailsetup::import::{go_autoconfig, seed, solarssk, yaml};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(documents) = yaml::read(text) else { return };
    for root in &documents.roots {
        drafted::run(data, seed::read_seed("file", root));
        drafted::run(data, seed::read_rows("file", root));
        drafted::run(data, solarssk::read("file", root));
        drafted::run(data, Ok(go_autoconfig::read("file", root)));
    }
}
