//! The services of master.cf: its own lines, `postconf -M` and `postconf -P` (master(5)).

use super::lines::{BLANK, Setting, assignment, shortened, unbraced, words};
use super::parameters::Overrides;
use crate::draft::Place;
use std::collections::HashMap;

/// How many services are read. A machine with many addresses has dozens.
pub const MAX: usize = 2000;
/// The types of services.
const TYPES: [&str; 5] = ["inet", "unix", "fifo", "pass", "unix-dgram"];
/// The fields before the command.
const FIELDS: usize = 7;
/// The options of smtpd with an argument (master(8), `single_server`).
const WITH_ARGUMENT: &str = "imnost";

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its name, which is the address for the type `inet`.
    pub name: String,
    /// `inet`, `pass`, …
    pub kind: String,
    /// True if the column `chroot` is `y`.
    pub is_chrooted: bool,
    /// The command, without its folder; `None` if only `postconf -P` names the service.
    pub command: Option<String>,
    /// An argument that is not an option: with it, Postfix's programs do not start.
    pub stray: Option<String>,
    /// Its own parameters.
    pub own: Overrides,
    /// Where it stands.
    pub place: Place,
    /// The line, or what is known of it.
    pub shown: String,
}

/// All services, in the order in which they were seen.
#[derive(Debug, Default)]
pub struct Services {
    list: Vec<Service>,
    at: HashMap<(String, String), usize>,
    /// How many were left out.
    left_out: usize,
    /// True if one of the texts was master.cf or `postconf -M`.
    has_lines: bool,
}

impl Services {
    /// Reads a line of master.cf or of `postconf -M`; false if it is another.
    pub fn read_line(&mut self, line: &str, place: &Place) -> bool {
        let mut rest = line;
        let mut fields = [""; FIELDS];
        for field in &mut fields {
            (*field, rest) = first_word(rest);
        }
        let [name, kind, .., chroot, _, _] = fields;
        let arguments = words(rest, BLANK);
        let Some((command, arguments)) = arguments.split_first() else { return false };
        if !TYPES.contains(&kind) || !["y", "n", "-"].contains(&chroot) {
            return false;
        }
        self.has_lines = true;
        let shown = shortened(&format!("{} {command}", fields.join(" ")));
        let Some(service) = self.service(name, kind, place, shown) else { return true };
        if service.command.is_some() {
            return true;
        }
        service.is_chrooted = chroot == "y";
        service.command = Some(command.rsplit('/').next().unwrap_or(command).to_owned());
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(options) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                service.stray = Some((*argument).to_owned());
                break;
            };
            // Letters may stand together, as for any program: `-vo a=b`, `-oa=b`.
            let Some(at) = options.find(|c| WITH_ARGUMENT.contains(c)) else { continue };
            let (option, joined) = options[at..].split_at(1);
            let argument = match joined {
                "" => arguments.next().copied().unwrap_or_default(),
                joined => joined,
            };
            if option != "o" {
                continue;
            }
            if let Some((name, value)) = assignment(unbraced(argument).unwrap_or(argument)) {
                let shown = format!("{}/{}: -o {name}={value}", service.name, service.kind);
                service.set(name, value, place, &shown);
            }
        }
        true
    }

    /// Reads a line of `postconf -P`: `name/type/parameter = value`; false if it is another.
    pub fn read_parameter(&mut self, line: &str, place: &Place) -> bool {
        let Some((path, value)) = line.split_once('=') else { return false };
        let mut parts = path.trim().rsplitn(3, '/');
        let (Some(parameter), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        if !TYPES.contains(&kind) || name.is_empty() || name.contains(char::is_whitespace) {
            return false;
        }
        let value = value.trim();
        let shown = format!("{name}/{kind}/{parameter} = {value}");
        if let Some(service) = self.service(name, kind, place, shortened(&shown)) {
            service.own.remove(parameter);
            service.set(parameter, value, place, &shown);
        }
        true
    }

    /// The service of a name and a type, which may be new; `None` if there are too many.
    fn service(
        &mut self,
        name: &str,
        kind: &str,
        place: &Place,
        shown: String,
    ) -> Option<&mut Service> {
        let key = (name.to_owned(), kind.to_owned());
        let at = match self.at.get(&key) {
            Some(at) => *at,
            None if self.list.len() >= MAX => {
                self.left_out += 1;
                return None;
            }
            None => {
                self.list.push(Service {
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    is_chrooted: false,
                    command: None,
                    stray: None,
                    own: Overrides::new(),
                    place: place.clone(),
                    shown,
                });
                self.at.insert(key, self.list.len() - 1);
                self.list.len() - 1
            }
        };
        self.list.get_mut(at)
    }

    /// The services, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.list.iter()
    }

    /// A service by its name and its type.
    pub fn find(&self, name: &str, kind: &str) -> Option<&Service> {
        let at = self.at.get(&(name.to_owned(), kind.to_owned()))?;
        self.list.get(*at)
    }

    /// True if no service was read.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many services were left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// True if all services are known, also those without parameters of their own.
    pub fn has_lines(&self) -> bool {
        self.has_lines
    }
}

impl Service {
    /// Sets a parameter; the last line of a name counts, and `postconf -P` over all.
    fn set(&mut self, name: &str, value: &str, place: &Place, shown: &str) {
        match self.own.get(name) {
            Some(known) if known.place.source != place.source => {}
            _ => {
                let shown = shortened(shown);
                let setting = Setting { value: value.to_owned(), place: place.clone(), shown };
                self.own.insert(name.to_owned(), setting);
            }
        }
    }

    /// The name and the type, as `postconf -P` writes them.
    pub fn label(&self) -> String {
        shortened(&format!("{}/{}", self.name, self.kind))
    }
}

/// The first word of a text, and the rest.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(line: &str) -> (Vec<(String, String)>, Option<String>) {
        let mut services = Services::default();
        assert!(services.read_line(line, &Place::whole("master.cf")), "{line}");
        let service = services.list.pop().expect("a service");
        let own = service.own.into_iter().map(|(name, setting)| (name, setting.value));
        let mut own: Vec<_> = own.collect();
        own.sort();
        (own, service.stray)
    }

    #[test]
    fn options_have_several_forms() {
        let start = "submission inet n - y - - /usr/lib/postfix/sbin/smtpd ";
        for (arguments, expected) in [
            ("-o a=b -o {c = d, e} -o { f=g }", vec![("a", "b"), ("c", "d, e"), ("f", "g")]),
            ("-oa=b -v -vo c=d -o e=", vec![("a", "b"), ("c", "d"), ("e", "")]),
            ("-o a=1 -o a=2 -s 2 -o b=c", vec![("a", "2"), ("b", "c")]),
            ("-o", vec![]),
            ("-o nothing", vec![]),
        ] {
            let (own, stray) = own(&[start, arguments].concat());
            let own: Vec<_> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(own, expected, "{arguments}");
            assert_eq!(stray, None);
        }
        let (own, stray) = own("587 inet n - y - - smtpd -o a=b, c -o d=e");
        assert_eq!(own, [("a".to_owned(), "b,".to_owned())]);
        assert_eq!(stray.as_deref(), Some("c"));
    }

    #[test]
    fn other_lines_are_no_services() {
        let mut services = Services::default();
        let place = Place::whole("master.cf");
        for line in ["", "a = b", "smtp inet n - y - -", "smtp tcp n - y - - smtpd", "a/inet = b"] {
            assert!(!services.read_line(line, &place), "{line}");
            assert!(!services.read_parameter(line, &place), "{line}");
        }
        assert!(services.is_empty());
        assert!(services.read_parameter("[::1]:465/inet/a = b = c", &place));
        assert!(
            services
                .find("[::1]:465", "inet")
                .is_some_and(|service| service.own["a"].value == "b = c")
        );
    }
}
