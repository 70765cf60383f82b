//! What is tried with hostile bytes: one file for each target, with what must hold whatever comes.
//!
//! A target takes any bytes and panics if something does not hold. Two things call it: libFuzzer,
//! through `fuzz_targets/`, and `tests/corpora.rs`, which includes this file and replays what the
//! fuzzer kept, on stable Rust. No target touches a file or a socket.

pub mod address;
pub mod answer;
pub mod cgi_environment;
pub mod config_toml;
pub mod domain_file;
pub mod fastcgi_records;
pub mod host;
pub mod list;
pub mod page;
pub mod pox_body;
pub mod routing;
pub mod template;

/// A target: takes bytes, panics if something does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 11] = [
    ("address", address::run),
    ("cgi_environment", cgi_environment::run),
    ("config_toml", config_toml::run),
    ("domain_file", domain_file::run),
    ("fastcgi_records", fastcgi_records::run),
    ("host", host::run),
    ("list", list::run),
    ("page", page::run),
    ("pox_body", pox_body::run),
    ("routing", routing::run),
    ("template", template::run),
];

/// Cuts the bytes before the first `separator` off; all of them, where there is none.
pub fn take_until<'a>(bytes: &mut &'a [u8], separator: u8) -> &'a [u8] {
    let end = bytes.iter().position(|&b| b == separator).unwrap_or(bytes.len());
    let (taken, rest) = bytes.split_at(end);
    *bytes = rest.get(1..).unwrap_or_default();
    taken
}
