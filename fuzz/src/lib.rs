//! The fuzz targets: one file for each, with the properties that it checks for any input.
//!
//! A target takes any bytes and panics if a property does not hold. It has two callers: libFuzzer,
//! through `fuzz_targets/`, and `probe/tests/corpora.rs`, which includes this file and replays the inputs
//! that the fuzzer kept, on stable Rust. Targets use no files and no sockets.

pub mod address;
pub mod answer;
pub mod cgi_environment;
pub mod config_toml;
pub mod dns_answer;
pub mod domain_file;
pub mod drafted;
pub mod fastcgi_records;
pub mod host;
pub mod import_autoconfig;
pub mod import_domains;
pub mod import_environment;
pub mod import_ini;
pub mod import_php;
pub mod import_pox;
pub mod import_profile;
pub mod import_seed;
pub mod import_yaml;
pub mod imported;
pub mod init_dovecot;
pub mod init_others;
pub mod init_postfix;
pub mod list;
pub mod mail_dialogue;
pub mod map;
pub mod page;
pub mod pox_body;
pub mod probe_url;
pub mod profile_cms;
pub mod published;
pub mod reply;
pub mod routing;
pub mod socketmap_reply;
pub mod template;
pub mod userdb_reply;

/// A target: takes bytes, panics if a property does not hold.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also that of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 31] = [
    ("address", address::run),
    ("cgi_environment", cgi_environment::run),
    ("config_toml", config_toml::run),
    ("dns_answer", dns_answer::run),
    ("domain_file", domain_file::run),
    ("fastcgi_records", fastcgi_records::run),
    ("host", host::run),
    ("import_autoconfig", import_autoconfig::run),
    ("import_domains", import_domains::run),
    ("import_environment", import_environment::run),
    ("import_ini", import_ini::run),
    ("import_seed", import_seed::run),
    ("import_yaml", import_yaml::run),
    ("import_php", import_php::run),
    ("import_pox", import_pox::run),
    ("import_profile", import_profile::run),
    ("init_dovecot", init_dovecot::run),
    ("init_others", init_others::run),
    ("init_postfix", init_postfix::run),
    ("list", list::run),
    ("mail_dialogue", mail_dialogue::run),
    ("map", map::run),
    ("page", page::run),
    ("pox_body", pox_body::run),
    ("probe_url", probe_url::run),
    ("profile_cms", profile_cms::run),
    ("published", published::run),
    ("routing", routing::run),
    ("socketmap_reply", socketmap_reply::run),
    ("template", template::run),
    ("userdb_reply", userdb_reply::run),
];

/// Removes and returns the bytes before the first `separator`, or all bytes without one.
pub fn take_until<'a>(bytes: &mut &'a [u8], separator: u8) -> &'a [u8] {
    let end = bytes.iter().position(|&b| b == separator).unwrap_or(bytes.len());
    let (taken, rest) = bytes.split_at(end);
    *bytes = rest.get(1..).unwrap_or_default();
    taken
}
