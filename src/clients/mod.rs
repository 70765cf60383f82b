//! Mail clients: what each one asks, in its order, and what it does with an answer.
//!
//! Data only, in one static table. `check` takes from it which clients a setting breaks, `show` how
//! a request is made, and docs/clients.md its tables. What is not known of a client is not in it:
//! the lack of a rule says nothing. Where it was seen stands in docs/protocols.md.
//!
//! `client` and `step` hold the types; the other files hold the clients.

mod client;
mod free;
mod microsoft;
mod mozilla;
mod others;
mod step;

pub use client::{Client, Login, Order, Rule, Tested};
pub use step::{Ask, Form, Host, Of, Schema, Scheme, Sent, Step, What};

/// All clients, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Client> {
    [mozilla::CLIENTS, free::CLIENTS, others::CLIENTS, microsoft::CLIENTS].into_iter().flatten()
}

/// The clients that something is true for, without those that share the code of another.
pub fn those(is_meant: impl Fn(&Client) -> bool) -> Vec<&'static Client> {
    all().filter(|client| client.same_as.is_none() && is_meant(client)).collect()
}

/// `A takes`, `A and B take` or `A, B and C take`: with the verb in both numbers.
pub fn sentence(clients: &[&Client], one: &str, many: &str) -> String {
    let names: Vec<_> = clients.iter().map(|client| client.name).collect();
    match &names[..] {
        [] => String::new(),
        [name] => format!("{name} {one}"),
        [others @ .., last] => format!("{} and {last} {many}", others.join(", ")),
    }
}
