//! The tables of the configuration file that are there once, and never in a domain: shapes as in
//! `file`, whose opening holds for their comments, too.

use super::spanned::Spanned;
use serde::Deserialize;

/// What is read once for the whole file, beside the settings of domains.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    /// Which domains are answered.
    pub domains: Domains,
    /// Lines on standard error, which systemd(1) and web servers collect. Errors are always logged.
    pub log: Log,
    /// Monitoring endpoints of a service (FastCGI and HTTP); not available in CGI. There is no
    /// access control: restrict them to your own machines by a rule of the web server.
    ///
    /// The paths are the same for every host. Paths that mail clients request cannot be used.
    pub metrics: Metrics,
    /// Limits for requests. Changes take effect after a restart.
    pub limits: Limits,
}

/// `[domains]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Domains {
    /// What is done about domains that are named nowhere: {words}.
    ///
    /// - Default: `"any"`, or `"listed"` if a domain is named by a table, `list_files` or `directory`
    /// - Example: `answer = "any"`
    pub answer: Option<Spanned<AnswerFor>>,
    /// Up to 100 files with a domain or a pattern like `*.example.org` in each line; the first word
    /// is used. Postfix maps, passwd-files and plain lists can be used.
    ///
    /// See *Lists of domains*.
    ///
    /// - Value: path
    /// - Items: 100
    /// - Default: none
    /// - Example: `list_files = ["domains.txt"]`
    pub list_files: Vec<Spanned<String>>,
    /// A folder with one file for each domain, called example.org.toml, with the keys of
    /// `[domain."example.org"]`.
    ///
    /// See *A folder of domains*.
    ///
    /// - Value: path
    /// - Default: none
    /// - Example: `directory = "domains.d"`
    pub directory: Option<Spanned<String>>,
    /// How many letters the names of the sub-folders of `directory` have, from {range}. With 2, the
    /// file of example.org is `ex/example.org.toml`.
    ///
    /// They are the first letters of the domain, or its first label if that is shorter; for a pattern,
    /// those of the domain in it. With 0 there are no sub-folders. See *A folder of domains*.
    ///
    /// - Range: 0 to 4
    /// - Default: `0`
    /// - Example: `directory_letters = 2`
    pub directory_letters: Option<Spanned<i64>>,
    /// A path for web servers that get a certificate when a name is first asked for, such as Caddy: the
    /// response to `?domain=autoconfig.example.org` has status 200 if example.org is named exactly, and
    /// 404 for all other names. Not available in CGI.
    ///
    /// Names are `autoconfig.` and `autodiscover.`, and `ua-auto-config.` if PACC is enabled. Domains that
    /// are answered by a pattern or by `answer = "any"` do not count. The path is the same for every
    /// host, and there is no access control: let only the web server itself reach it.
    ///
    /// - Value: path of a URL
    /// - Default: none
    /// - Example: `ask_path = "/mailsetup/ask"`
    pub ask_path: Option<Spanned<String>>,
}

/// `answer = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum AnswerFor {
    /// they get the settings of the tables at the top
    Any,
    /// they are not answered
    Listed,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Log {
    /// Whether there is a line for each request.
    ///
    /// It has the method, the document, the status, the size of the response, how long it took in
    /// microseconds, the host and the address. The lines of a tenth of a second are written
    /// together. A FastCGI request that was refused as one too many counts as status 503.
    ///
    /// - Default: true for FastCGI and HTTP, false for CGI
    /// - Example: `requests = true`
    pub requests: Option<bool>,
    /// Addresses in these lines: {words}.
    ///
    /// - Default: `"masked"`
    /// - Example: `addresses = "masked"`
    pub addresses: Option<Addresses>,
    /// Whether these lines hold the IP address of the client. It is personal data.
    ///
    /// The web server passes it in `REMOTE_ADDR`. Over HTTP it is the address of the peer, which may
    /// be a proxy.
    ///
    /// - Default: `false`
    /// - Example: `client_addresses = false`
    pub client_addresses: Option<bool>,
    /// Whether these lines hold the `User-Agent` of the client, 256 bytes at most.
    ///
    /// Together with the IP address it can identify a person.
    ///
    /// - Default: `false`
    /// - Example: `user_agents = false`
    pub user_agents: Option<bool>,
}

/// `addresses = …`
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// as a***@example.org
    Masked,
    /// as ann@example.org
    Full,
}

/// `[metrics]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// The path of the counters, in the format of Prometheus.
    ///
    /// They count requests by document and status, their duration, signatures, connections, and
    /// reloads of the configuration. Labels contain no data of requests.
    ///
    /// - Value: path of a URL
    /// - Default: none
    /// - Example: `path = "/mailsetup/metrics"`
    pub path: Option<Spanned<String>>,
    /// The path of a page that says "ok" while the service runs.
    ///
    /// - Value: path of a URL
    /// - Default: none
    /// - Example: `health_path = "/mailsetup/health"`
    pub health_path: Option<Spanned<String>>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The largest set of FastCGI parameters, in bytes, from {range}. Larger ones get status 431.
    ///
    /// Over HTTP this is for the header, which may always have 8192 bytes and never more than 16384.
    ///
    /// - Range: 1 to 16777216
    /// - Default: `65536`
    /// - Example: `parameters_bytes = 65536`
    pub parameters_bytes: Option<Spanned<i64>>,
    /// The largest body, in bytes, from {range}. Larger ones get status 413.
    ///
    /// - Range: 1 to 16777216
    /// - Default: `65536`
    /// - Example: `body_bytes = 65536`
    pub body_bytes: Option<Spanned<i64>>,
    /// How many connections are served at the same time, from {range}.
    ///
    /// At the limit, connections that have sent nothing are closed. Otherwise the next one is refused
    /// over FastCGI, and waits over HTTP; for a connection that waits, an idle one is closed. If the
    /// limit of open files is lower, it holds instead, and all others wait.
    ///
    /// - Range: 1 to 100000
    /// - Default: `4096`
    /// - Example: `connections = 4096`
    pub connections: Option<Spanned<i64>>,
    /// The time limit for receiving a request, and for sending the response, in seconds, from
    /// {range}.
    ///
    /// It is also the limit for the first byte of a new connection. A FastCGI connection may be idle
    /// between requests for any time.
    ///
    /// - Range: 1 to 3600
    /// - Default: `30`
    /// - Example: `timeout_s = 30`
    pub timeout_s: Option<Spanned<i64>>,
    /// The memory for all requests that are being received, in bytes, from {range}, beside 4096 for
    /// each connection. If it is used up, large requests are refused and small ones are answered.
    ///
    /// - Range: 1 to 1073741824
    /// - Default: `33554432`
    /// - Example: `buffered_bytes = 33554432`
    pub buffered_bytes: Option<Spanned<i64>>,
    /// How long running requests may take to finish after a signal to stop, in seconds, from
    /// {range}. Keep it below the timeout of the service manager, which is 90 seconds in systemd.
    ///
    /// Then their connections are closed.
    ///
    /// - Range: 1 to 3600
    /// - Default: `10`
    /// - Example: `stop_timeout_s = 10`
    pub stop_timeout_s: Option<Spanned<i64>>,
}
