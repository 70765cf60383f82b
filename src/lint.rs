//! What works, but not for everybody: an account in, findings out, each at the setting that causes
//! it.
//!
//! To add one, write an entry in [`LINTS`] and a test in `tests/commands.rs`. What clients do was
//! read in their code or seen; docs/clients.md has their versions.

use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, MailServer, Protocol, Redirect, Security,
    ServiceKind,
};
use crate::discovery::pacc::{self, Why};
use crate::finding::{Finding, Place};
use crate::page::contrast::on_light;
use crate::ports;
use crate::url::HTTPS_PORT;

/// One kind of finding; all are warnings.
pub struct Lint {
    /// The code, in kebab case; it does not change between versions.
    pub code: &'static str,
    /// One line for the manual.
    pub about: &'static str,
    /// The clients that it breaks, with the version where it was seen.
    pub clients: &'static [&'static str],
    /// What to do.
    pub mend: &'static str,
    find: Find,
}

/// Finds what is wrong.
enum Find {
    /// With a server or another way to it; keys are those of the server, and the message follows
    /// its name.
    Way(fn(&MailServer) -> Option<Cause>),
    /// The same, for what other ways have in common with the server.
    Server(fn(&MailServer) -> Option<Cause>),
    /// With an account.
    Account(fn(&Account) -> Vec<Cause>),
}

/// What is wrong, and the keys that cause it: the first that is written is the place.
struct Cause {
    keys: Vec<String>,
    message: String,
}

fn cause(keys: &[&str], message: impl Into<String>) -> Cause {
    Cause { keys: keys.iter().map(|key| (*key).to_owned()).collect(), message: message.into() }
}

/// The table, in the order of the codes.
pub static LINTS: &[Lint] = &[
    Lint {
        code: "alternatives",
        about: "Some clients take the last server instead of the first.",
        clients: &["Evolution 3.46", "aerc"],
        mend: "leave alternatives out",
        find: Find::Account(|account| {
            let has =
                |protocol| account.alternatives.iter().any(|server| server.protocol == protocol);
            let cause = |protocol| {
                let who = match protocol {
                    Protocol::Smtp => "Evolution and aerc take",
                    _ => "Evolution takes",
                };
                cause(
                    &[&format!("{protocol}.alternatives")],
                    format!("{protocol}.alternatives: {who} the last server instead of the first"),
                )
            };
            [Protocol::Imap, Protocol::Pop3, Protocol::Smtp]
                .into_iter()
                .filter(|p| has(*p))
                .map(cause)
                .collect()
        }),
    },
    Lint {
        code: "auth-list",
        about: "Several methods of signing in: clients choose in different ways.",
        clients: &["Evolution 3.46", "KMail", "Mustang", "Thunderbird 153"],
        mend: "write only the methods that work in all of them",
        find: Find::Server(|server| {
            let methods: Vec<_> = server.auth.iter().collect();
            (methods.len() > 1).then(|| cause(&["auth"], choices(&methods)))
        }),
    },
    Lint {
        code: "auth-ntlm",
        about: "NTLM: a client refuses the whole configuration.",
        clients: &["Thunderbird for Android"],
        mend: "use auth = \"password\"",
        find: Find::Server(|server| {
            let is_alone = server.auth.iter().eq([Auth::Ntlm]);
            (is_alone && is_read_on_android(server)).then(|| {
                cause(
                    &["auth"],
                    "with auth = \"ntlm\" Thunderbird for Android refuses the whole configuration",
                )
            })
        }),
    },
    Lint {
        code: "jmap",
        about: "A JMAP server: a client refuses the whole document.",
        clients: &["Pimalaya 0.7"],
        mend: "leave jmap.url out if your users need that client",
        find: Find::Account(|account| {
            let jmap = account.service(ServiceKind::Jmap);
            let message = "jmap: Pimalaya 0.7 refuses the whole autoconfig document for it";
            jmap.iter().map(|_| cause(&["jmap.url"], message)).collect()
        }),
    },
    Lint {
        code: "name-value",
        about: "A provider's name that a client reads as a number or as true or false.",
        clients: &["Thunderbird 153"],
        mend: "add a word to the name",
        find: Find::Account(|account| {
            let provider = &account.provider;
            // The name is the short name, too, where none is written.
            [
                ("name", &provider.name, &["provider.name"][..]),
                ("short_name", &provider.short_name, &["provider.short_name", "provider.name"]),
            ]
            .into_iter()
            .filter(|(_, name, _)| looks_like_a_value(name))
            .map(|(key, name, keys)| {
                cause(
                    keys,
                    format!(
                        "provider.{key}: Thunderbird reads {name} as a number or as true or false"
                    ),
                )
            })
            .collect()
        }),
    },
    Lint {
        code: "no-imap",
        about: "No IMAP server: some clients find nothing.",
        clients: &["Geary", "Thunderbird for Android"],
        mend: "offer IMAP",
        find: Find::Account(|account| {
            let has_imap = account.servers.iter().any(|server| server.protocol == Protocol::Imap);
            let message = "without imap, Geary and Thunderbird for Android find nothing";
            let cause = (!has_imap).then(|| cause(&["imap.enabled"], message));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-alone",
        about: "No server takes a password: many clients cannot sign in.",
        clients: &["Apple Mail", "Outlook", "Thunderbird 153", "Thunderbird for Android"],
        mend: "use auth = [\"oauth2\", \"password\"] if a password works, too",
        find: Find::Account(|account| {
            let servers = [account.incoming(), account.outgoing()].into_iter().flatten();
            let keys: Vec<_> = servers
                .filter(|server| server.auth.without_token().is_none())
                .map(|server| format!("{}.auth", server.protocol))
                .collect();
            let message = "auth = \"oauth2\" alone: Thunderbird and Thunderbird for Android find \
                           nothing unless they know the server by name; Apple profiles and \
                           Autodiscover are not available";
            let cause = (!keys.is_empty()).then(|| Cause { keys, message: message.to_owned() });
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-missing",
        about: "auth has \"oauth2\" without an [oauth2] table.",
        clients: &["Mustang"],
        mend: "add [oauth2], unless the servers are those of a large provider",
        find: Find::Account(|account| {
            let message = "auth has \"oauth2\" without an [oauth2] table: it is used only by clients \
                           that know the server by name, as Thunderbird knows those of Google and \
                           Microsoft";
            let server = account.servers.iter().find(|it| it.auth.contains(Auth::OAuth2));
            let cause = server
                .filter(|_| account.oauth2.is_none())
                .map(|server| cause(&[&format!("{}.auth", server.protocol)], message));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-unused",
        about: "[oauth2] without a server that has \"oauth2\" in auth: no client uses it.",
        clients: &["all"],
        mend: "use auth = [\"oauth2\", \"password\"]",
        find: Find::Account(|account| {
            let is_used = account.servers.iter().any(|it| it.auth.contains(Auth::OAuth2));
            let is_unused = account.oauth2.is_some() && !is_used;
            let message = "oauth2: no client uses it as long as no server has \"oauth2\" in auth";
            is_unused.then(|| cause(&["oauth2.issuer"], message)).into_iter().collect()
        }),
    },
    Lint {
        code: "pacc-empty",
        about: "No PACC document is published, because too little is left of it.",
        clients: &[],
        mend: "PACC needs imap or pop3, and smtp; or jmap",
        find: Find::Account(|account| left_out(account, |why| why == Why::NotEnough)),
    },
    Lint {
        code: "pacc-login",
        about: "A server that PACC cannot describe, because of its login.",
        clients: &[],
        mend: "use username = \"%EMAILADDRESS%\" and auth = \"password\"",
        find: Find::Account(|account| {
            left_out(account, |why| matches!(why, Why::Login | Why::NoLogin | Why::NoPassword))
        }),
    },
    Lint {
        code: "pacc-path",
        about: "A calendar, address book or file service that PACC cannot describe, because its URL \
                has no path.",
        clients: &[],
        mend: "add the path of the service to the URL, as in \"https://dav.example.org/dav/\"",
        find: Find::Account(|account| left_out(account, |why| why == Why::NoPath)),
    },
    Lint {
        code: "pacc-port",
        about: "A server that PACC cannot describe, because of its port or security.",
        clients: &[],
        mend: "offer it on that port",
        find: Find::Account(|account| left_out(account, |why| matches!(why, Why::Port(_)))),
    },
    Lint {
        code: "page-color",
        about: "A colour in which text cannot be read.",
        clients: &[],
        mend: "use a darker colour",
        find: Find::Account(|account| {
            let color = account.page.color.filter(|color| on_light(*color) != *color);
            let message = |color| {
                format!(
                    "page.color: text in {color} cannot be read on a light page; {} is shown there",
                    on_light(color)
                )
            };
            color.into_iter().map(|color| cause(&["page.color"], message(color))).collect()
        }),
    },
    Lint {
        code: "port-starttls",
        about: "TLS from the first byte on a port for STARTTLS.",
        clients: &["Thunderbird 153", "FairEmail"],
        mend: "set the port for TLS, or security = \"starttls\"",
        find: Find::Way(|server| {
            let is_wrong =
                server.security == Security::Tls && is_port_of(server, Security::StartTls);
            is_wrong.then(|| {
                cause(
                    &["security", "port"],
                    format!(
                        "port {} is for STARTTLS; Thunderbird and FairEmail use STARTTLS there, \
                         in spite of security = \"tls\"",
                        server.port
                    ),
                )
            })
        }),
    },
    Lint {
        code: "port-tls",
        about: "STARTTLS on a port for TLS from the first byte.",
        clients: &["all"],
        mend: "set the port for STARTTLS, or security = \"tls\"",
        find: Find::Way(|server| {
            let is_wrong =
                server.security == Security::StartTls && is_port_of(server, Security::Tls);
            is_wrong.then(|| {
                cause(
                    &["security", "port"],
                    format!(
                        "port {} is for TLS from the first byte; no client connects with \
                         security = \"starttls\"",
                        server.port
                    ),
                )
            })
        }),
    },
    Lint {
        code: "redirect-not-followed",
        about: "A redirect of Autodiscover that some clients do not follow.",
        clients: &["Delta Chat 2.65", "EmailEngine", "FairEmail"],
        mend: "configure the servers for this domain, too",
        find: Find::Account(|account| {
            let is_moved = matches!(account.moved, Some(Redirect::Address(_)));
            let message = "autodiscover.redirect_address: Delta Chat, EmailEngine and FairEmail do not follow it";
            let cause = is_moved.then(|| cause(&["autodiscover.redirect_address"], message));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "redirect-url-not-followed",
        about: "A redirect of Autodiscover that some clients do not follow.",
        clients: &["Delta Chat 2.65", "Thunderbird 153"],
        mend: "configure the servers for this domain, too",
        find: Find::Account(|account| {
            let is_moved = matches!(account.moved, Some(Redirect::Url(_)));
            let message = "autodiscover.redirect_url: Thunderbird does not follow it, and Delta Chat \
                           does not get it, because it sends no address";
            let cause = is_moved.then(|| cause(&["autodiscover.redirect_url"], message));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "security-none",
        about: "Mail without TLS: a client refuses the whole configuration.",
        clients: &["Thunderbird for Android"],
        mend: "use security = \"tls\"",
        find: Find::Way(|server| {
            (server.security == Security::Plain && is_read_on_android(server)).then(|| {
                cause(
                    &["security"],
                    "without TLS, Thunderbird for Android refuses the whole configuration, and \
                     passwords can be read on the network",
                )
            })
        }),
    },
    Lint {
        code: "security-none-other",
        about: "POP3 or ManageSieve without TLS.",
        clients: &[],
        mend: "use TLS",
        find: Find::Way(|server| {
            (server.security == Security::Plain && !is_read_on_android(server))
                .then(|| cause(&["security"], "without TLS, passwords can be read on the network"))
        }),
    },
    Lint {
        code: "service-username",
        about: "A service with another login than the mail server.",
        clients: &["FairEmail"],
        mend: "use the same login for both",
        find: Find::Account(|account| {
            let Some(incoming) = account.incoming() else { return Vec::new() };
            let services = account.services.iter().filter(|service| {
                service.kind != ServiceKind::ActiveSync
                    && service.login.template() != incoming.login.template()
            });
            let cause = |kind| {
                cause(
                    &[
                        &format!("{kind}.username"),
                        &format!("{}.username", incoming.protocol),
                        &format!("{kind}.url"),
                    ],
                    format!(
                        "{kind}.username: FairEmail takes the last username for the mail server's"
                    ),
                )
            };
            services.map(|service| cause(service.kind)).collect()
        }),
    },
    Lint {
        code: "smtp-without-login",
        about: "Sending without a login: a client refuses the whole configuration.",
        clients: &["Thunderbird 153", "Thunderbird for Android"],
        mend: "use auth = \"password\"",
        find: Find::Server(|server| {
            server.auth.contains(Auth::None).then(|| {
                cause(
                    &["auth"],
                    "with auth = \"none\" Thunderbird for Android refuses the whole configuration, \
                     and Thunderbird treats it as incomplete",
                )
            })
        }),
    },
    Lint {
        code: "username-composed",
        about: "A login that is made of several parts.",
        clients: &["FairEmail", "Mailspring", "aerc"],
        mend: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            let login = server.login.template();
            let is_composed =
                login != EMAIL_LOCAL_PART && login != EMAIL_ADDRESS && !is_fixed(login);
            is_composed.then(|| {
                cause(
                    &["username"],
                    "FairEmail, Mailspring and aerc do not understand a username made of several parts",
                )
            })
        }),
    },
    Lint {
        code: "username-fixed",
        about: "A login that is the same for every mailbox.",
        clients: &["Mailspring"],
        mend: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            is_fixed(server.login.template()).then(|| {
                cause(
                    &["username"],
                    "Mailspring logs in with the address, not with a fixed username",
                )
            })
        }),
    },
    Lint {
        code: "username-local-part",
        about: "A login that is the part before the @.",
        clients: &["aerc"],
        mend: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            (server.login.template() == EMAIL_LOCAL_PART)
                .then(|| cause(&["username"], "aerc always logs in with the whole address"))
        }),
    },
    Lint {
        code: "username-value",
        about: "A login that a client reads as a number or as true or false.",
        clients: &["Thunderbird 153"],
        mend: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            let login = server.login.template();
            looks_like_a_value(login).then(|| {
                let message = format!(
                    "Thunderbird reads the username {login} as a number or as true or false"
                );
                cause(&["username"], message)
            })
        }),
    },
];

/// What is found in an account; `place` finds the first key that is written.
pub fn lint(account: &Account, mut place: impl FnMut(&[String]) -> Option<Place>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lint in LINTS {
        let causes = match lint.find {
            Find::Way(find) => {
                let mut causes: Vec<_> =
                    account.servers.iter().filter_map(of_server(find)).collect();
                causes.extend(of_alternatives(account, find));
                causes
            }
            Find::Server(find) => account.servers.iter().filter_map(of_server(find)).collect(),
            Find::Account(find) => find(account),
        };
        findings.extend(causes.into_iter().map(|cause| Finding {
            clients: lint.clients.to_vec(),
            mend: Some(lint.mend.to_owned()),
            ..Finding::warning(lint.code, place(&cause.keys), cause.message)
        }));
    }
    findings
}

/// What clients do with several methods, by docs/protocols.md.
fn choices(methods: &[Auth]) -> String {
    let mut clients = Vec::new();
    clients.extend(methods.first().map(|method| format!("Mustang takes {method}")));
    clients.push(match methods.contains(&Auth::OAuth2) {
        true => "Thunderbird the first, but oauth2 only for servers that it knows by name".into(),
        false => "Thunderbird the first".to_owned(),
    });
    let known = [Auth::Password, Auth::CramMd5];
    let last = methods.iter().rfind(|method| known.contains(method));
    clients.extend(last.map(|method| format!("Evolution {method}")));
    let other = methods.iter().find(|method| **method != Auth::Password);
    clients.extend(other.map(|method| format!("KMail {method}")));
    format!("auth is a list: {}", clients.join(", "))
}

/// Puts the server before keys and message.
fn of_server(find: fn(&MailServer) -> Option<Cause>) -> impl Fn(&MailServer) -> Option<Cause> {
    move |server| {
        let Cause { keys, message } = find(server)?;
        let protocol = server.protocol;
        Some(Cause {
            keys: keys.iter().map(|key| format!("{protocol}.{key}")).collect(),
            message: format!("{protocol}: {message}"),
        })
    }
}

/// The same for other ways to a server. What one does not say itself, the server says.
fn of_alternatives(account: &Account, find: fn(&MailServer) -> Option<Cause>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for server in &account.alternatives {
        let MailServer { protocol, index, .. } = server;
        if let Some(Cause { keys, message }) = find(server) {
            let way = format!("{protocol}.alternatives[{index}]");
            let own = keys.iter().map(|key| format!("{way}.{key}"));
            let inherited = [format!("{protocol}.security"), way.clone()];
            causes.push(Cause {
                keys: own.chain(inherited).collect(),
                message: format!("{way}: {message}"),
            });
        }
    }
    causes
}

/// What PACC leaves out for some of the reasons.
fn left_out(account: &Account, is_reason: impl Fn(Why) -> bool) -> Vec<Cause> {
    if !account.pacc {
        return Vec::new();
    }
    let left_out = pacc::left_out(account).into_iter().filter(|left_out| is_reason(left_out.why));
    let causes = left_out.map(|pacc::LeftOut { what, why }| {
        let (keys, message) = match why {
            Why::Port(HTTPS_PORT) => (&["url"][..], format!("it is not on port {HTTPS_PORT}")),
            Why::Port(port) => (
                &["security", "port"][..],
                format!("it is not on port {port} with TLS from the first byte"),
            ),
            Why::Login => (&["username"][..], "its login is not the whole address".to_owned()),
            Why::NoLogin => (&["auth"][..], "it takes no login".to_owned()),
            Why::NoPassword => (&["auth"][..], "it takes no password".to_owned()),
            Why::NoPath => (&["url"][..], "its URL has no path".to_owned()),
            Why::NotEnough => {
                return cause(&["pacc.enabled"], "pacc: no document is published");
            }
        };
        let keys = keys.iter().map(|key| format!("{what}.{key}"));
        Cause {
            // Where the default is the reason, PACC itself is what was written.
            keys: keys.chain(["pacc.enabled".to_owned()]).collect(),
            message: format!("pacc: {what} is left out: {message}"),
        }
    });
    causes.collect()
}

/// True for what Thunderbird for Android reads: it skips POP3 and all others.
fn is_read_on_android(server: &MailServer) -> bool {
    matches!(server.protocol, Protocol::Imap | Protocol::Smtp)
}

/// True if a server is on the registered port of a protection, and not of two.
fn is_port_of(server: &MailServer, security: Security) -> bool {
    ports::security_of(server.protocol, server.port) == Some(security)
}

/// True for a login without a part of the address.
fn is_fixed(login: &str) -> bool {
    !login.contains(EMAIL_ADDRESS) && !login.contains(EMAIL_LOCAL_PART)
}

/// True for text that is a number or a truth value (seen: Thunderbird turns `0123` into 123).
fn looks_like_a_value(text: &str) -> bool {
    text.parse::<f64>().is_ok() || ["true", "false"].contains(&text)
}
