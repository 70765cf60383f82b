//! Mail servers, mail stacks and panels that are recognised by their files, and what is known of them.
//!
//! Their own settings are not read. docs/panels.md has the sources.

use crate::draft::{Note, NoteKind, Place};

/// A product.
pub struct Product {
    /// Its name.
    pub name: &'static str,
    /// A file or folder that it has, and others do not.
    files: &'static [&'static str],
    /// A text in the output of Dovecot or Postfix that stands for it.
    marks: &'static [&'static str],
    /// What to know of it.
    about: &'static str,
    /// True if docs/panels.md has a section about it.
    has_page: bool,
}

/// The products.
pub const PRODUCTS: [Product; 18] = [
    Product {
        name: "Stalwart",
        files: &["/opt/stalwart", "/opt/stalwart-mail", "/etc/stalwart", "/etc/stalwart-mail"],
        marks: &[],
        about: "it answers autoconfig, Autodiscover and PACC itself; its settings are in its own database \
                and are not read here. mailsetup adds profiles for Apple devices and a page for users",
        has_page: false,
    },
    Product {
        name: "mox",
        files: &["/home/mox/config/mox.conf"],
        marks: &[],
        about: "it answers autoconfig and Autodiscover itself and makes profiles for Apple devices; its \
                settings are not read here",
        has_page: false,
    },
    Product {
        name: "maddy",
        files: &["/etc/maddy/maddy.conf"],
        marks: &[],
        about: "its settings are not read here: write [imap] and [smtp] by hand",
        has_page: false,
    },
    Product {
        name: "mailcow",
        files: &["/opt/mailcow-dockerized/mailcow.conf"],
        marks: &["mailcow"],
        about: "it answers autoconfig and Autodiscover itself and makes profiles for Apple devices; \
                Dovecot and Postfix run in containers",
        has_page: true,
    },
    Product {
        name: "Mailu",
        files: &["/mailu/mailu.env"],
        marks: &["/tmp/podop.socket"],
        about: "it answers autoconfig and Autodiscover itself and makes profiles for Apple devices; its \
                nginx is in front of Dovecot and Postfix, whose ports are not those of mail clients",
        has_page: true,
    },
    Product {
        name: "docker-mailserver",
        files: &["/etc/dms"],
        marks: &["/etc/dms/", "/tmp/docker-mailserver"],
        about: "it answers no mail clients itself",
        has_page: true,
    },
    Product {
        name: "Mail-in-a-Box",
        files: &["/etc/mailinabox.conf"],
        marks: &["/home/user-data/mail"],
        about: "it answers autoconfig itself, makes profiles for Apple devices, and answers Autodiscover \
                for ActiveSync only",
        has_page: true,
    },
    Product {
        name: "iRedMail",
        files: &["/etc/iredmail-release"],
        marks: &["iRedMail", "iredmail"],
        about: "the open source edition answers no mail clients itself",
        has_page: true,
    },
    Product {
        name: "Modoboa",
        files: &["/srv/modoboa"],
        marks: &["/srv/modoboa"],
        about: "it answers autoconfig and Autodiscover itself and makes profiles for Apple devices",
        has_page: true,
    },
    Product {
        name: "Zimbra",
        files: &["/opt/zimbra"],
        marks: &["/opt/zimbra/"],
        about: "its proxy is in front of its mail servers; its settings are not read here",
        has_page: false,
    },
    Product {
        name: "Cyrus IMAP",
        files: &["/etc/cyrus.conf"],
        marks: &[],
        about: "its settings are not read here: write [imap] by hand, see SERVICES in /etc/cyrus.conf",
        has_page: false,
    },
    Product {
        name: "Courier",
        files: &["/etc/courier/imapd", "/etc/courier/imapd-ssl"],
        marks: &[],
        about: "its settings are not read here: write [imap] by hand, see /etc/courier/imapd and \
                /etc/courier/imapd-ssl",
        has_page: false,
    },
    Product {
        name: "cPanel",
        files: &["/usr/local/cpanel"],
        marks: &[],
        about: "it may answer autoconfig and Autodiscover itself",
        has_page: true,
    },
    Product {
        name: "Plesk",
        files: &["/usr/local/psa"],
        marks: &[],
        about: "it answers autoconfig and Autodiscover itself for domains with web hosting",
        has_page: true,
    },
    Product {
        name: "DirectAdmin",
        files: &["/usr/local/directadmin"],
        marks: &[],
        about: "it answers no mail clients itself; /etc/virtual/domains is its list of domains",
        has_page: true,
    },
    Product {
        name: "ISPConfig",
        files: &["/usr/local/ispconfig"],
        marks: &[],
        about: "it answers no mail clients itself; the login of a mailbox may differ from its address",
        has_page: true,
    },
    Product {
        name: "HestiaCP",
        files: &["/usr/local/hestia"],
        marks: &[],
        about: "it answers no mail clients itself",
        has_page: true,
    },
    Product {
        name: "Virtualmin",
        files: &["/etc/webmin/virtual-server"],
        marks: &[],
        about: "it answers autoconfig and Autodiscover itself, unless that is switched off; the login \
                may differ from the address",
        has_page: true,
    },
];

/// Notes about the products that are there. `exists` tells whether a file or folder exists; `outputs`
/// are the texts that were read.
pub fn notes(exists: &dyn Fn(&str) -> bool, outputs: &[&str]) -> Vec<Note> {
    let found = PRODUCTS.iter().filter_map(|product| {
        let file = product.files.iter().find(|file| exists(file));
        let is_marked = product.marks.iter().any(|mark| outputs.iter().any(|it| it.contains(mark)));
        if file.is_none() && !is_marked {
            return None;
        }
        let page = if product.has_page { "; docs/panels.md has more" } else { "" };
        Some(Note {
            kind: NoteKind::Hint,
            place: file.map(|file| Place::whole(*file)),
            text: format!("{} is here: {}{page}", product.name, product.about),
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_recognised_by_a_file_or_by_an_output() {
        for product in &PRODUCTS {
            for file in product.files {
                let found = notes(&|path| path == *file, &[]);
                assert_eq!(found.len(), 1, "{file}");
                assert!(found[0].text.starts_with(product.name), "{file}");
            }
            for mark in product.marks {
                let output = format!("a = {mark}x");
                assert_eq!(notes(&|_| false, &["", &output]).len(), 1, "{mark}");
            }
        }
        assert_eq!(notes(&|_| false, &["protocols = imap"]), []);
    }
}
