//! The faults: one row each, planted one at a time in a domain that is otherwise right.

mod dns;
mod documents;
mod mail;
mod tls;
mod web;

use crate::shapes;
use crate::world::{Scene, World};

/// A fault, and what the program must say about it.
pub struct Fault {
    /// A short name.
    pub name: &'static str,
    /// What is planted: a part of a sentence, for docs/probe.md.
    pub about: &'static str,
    /// The responder's configuration of the domain.
    pub base: &'static str,
    /// Plants it.
    pub plant: fn(&mut World, &mut Scene),
    /// The code of the finding that names it; empty if this is no fault.
    pub code: &'static str,
    /// Its subject.
    pub subject: &'static str,
    /// The clients that it must name; it may name more.
    pub clients: &'static [&'static str],
    /// Codes of other errors and warnings that follow from it, each with the reason.
    pub also: &'static [(&'static str, &'static str)],
}

/// What a row leaves out.
const FAULT: Fault = Fault {
    name: "",
    about: "",
    base: shapes::OWN,
    plant: |_, _| {},
    code: "",
    subject: "",
    clients: &[],
    also: &[],
};

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [dns::FAULTS, tls::FAULTS, web::FAULTS, documents::FAULTS, mail::FAULTS].into_iter().flatten()
}

/// One by its name.
pub fn named(name: &str) -> &'static Fault {
    all().find(|fault| fault.name == name).unwrap_or_else(|| panic!("no fault {name}"))
}

impl Fault {
    /// The scene with this fault.
    pub fn scene(&self, world: &mut World) -> Scene {
        let mut scene = shapes::own_with(world, self.base);
        (self.plant)(world, &mut scene);
        scene
    }
}

const DOMAIN: &str = "example.org";
const AUTOCONFIG: &str = "autoconfig.example.org";
const AUTODISCOVER: &str = "autodiscover.example.org";
const PACC: &str = "ua-auto-config.example.org";
