//! Mail clients: the requests of each one, in order, and what it does with a response.
//!
//! Data only, in one static table. `check` uses it to find the clients that a setting breaks, `show`
//! to make requests; the tables of docs/clients.md are generated from it. It has only what was read
//! or observed: the lack of a rule means nothing. docs/protocols.md lists the sources.
//!
//! `client` and `step` hold the types; the other files hold the clients.

mod client;
mod free;
mod microsoft;
mod mozilla;
mod others;
mod step;

pub use client::{Client, Login, Order, Rule, Tested, UNKNOWN};
pub use step::{Ask, DATABASE, Form, Host, Of, Schema, Scheme, Sent, Step, What};

/// All clients, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Client> {
    [mozilla::CLIENTS, free::CLIENTS, others::CLIENTS, microsoft::CLIENTS].into_iter().flatten()
}

/// The name of a client for programs: in lower case, with a dash between words.
pub fn slug(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

/// The clients for which `is_meant` is true, without those that use the code of another client.
pub fn those(is_meant: impl Fn(&Client) -> bool) -> Vec<&'static Client> {
    all().filter(|client| client.same_as.is_none() && is_meant(client)).collect()
}

/// True for a host, or one below it, for which Thunderbird gets tokens: it knows the provider.
pub fn know_oauth2_of(host: &str) -> bool {
    let is_below = |known: &str| {
        host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    mozilla::OAUTH2_HOSTS.iter().any(|known| is_below(known))
}

/// The names of the clients for which `is_meant` is true, with versions.
pub fn labels(is_meant: impl Fn(&Client) -> bool) -> Vec<String> {
    those(is_meant).into_iter().map(Client::label).collect()
}

/// `A 1 takes`, `A 1 and B take` or `A 1, B and C take`: names with releases, and the verb in both
/// numbers.
pub fn sentence(clients: &[&Client], one: &str, many: &str) -> String {
    let names: Vec<_> = clients.iter().map(|client| client.with_release()).collect();
    match &names[..] {
        [] => String::new(),
        [name] => format!("{name} {one}"),
        [others @ .., last] => format!("{} and {last} {many}", others.join(", ")),
    }
}
