//! The tables of the configuration file that are there once, and never in a domain: shapes as in
//! `file`.

use super::spanned::Spanned;
use serde::Deserialize;

/// What is read once for the whole file, beside the settings of domains.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    pub domains: Domains,
    pub log: Log,
    pub metrics: Metrics,
    pub limits: Limits,
}

/// `[domains]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Domains {
    pub answer: Option<Spanned<AnswerFor>>,
    pub list_files: Vec<Spanned<String>>,
    pub directory: Option<Spanned<String>>,
}

/// `answer = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum AnswerFor {
    Any,
    Listed,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Log {
    pub requests: Option<bool>,
    pub addresses: Option<Addresses>,
    pub client_addresses: Option<bool>,
    pub user_agents: Option<bool>,
}

/// `addresses = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    Masked,
    Full,
}

/// `[metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metrics {
    pub path: Option<Spanned<String>>,
    pub health_path: Option<Spanned<String>>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub parameters_bytes: Option<Spanned<i64>>,
    pub body_bytes: Option<Spanned<i64>>,
    pub connections: Option<Spanned<i64>>,
    pub timeout_s: Option<Spanned<i64>>,
    pub buffered_bytes: Option<Spanned<i64>>,
    pub stop_timeout_s: Option<Spanned<i64>>,
}
