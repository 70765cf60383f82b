//! Findings about names: DNS, and what is not published.

use crate::finding::{Code, Stage, Weight};

/// The kinds, sorted by code.
pub const CODES: &[Code] = &[
    Code {
        id: "activesync-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "No ActiveSync or Exchange.",
        explain: "Some clients look for an Exchange server or ActiveSync and can use nothing else. A \
                  domain that offers IMAP does without it.",
    },
    Code {
        id: "autoconfig-absent",
        stage: Stage::Dns,
        weight: Weight::Absence,
        about: "No autoconfig at autoconfig.DOMAIN.",
        explain: "Most mail clients ask https://autoconfig.DOMAIN/mail/config-v1.1.xml first. Geary and \
                  Maily ask only there. Publish the name in the DNS (`mailsetup dns DOMAIN`), include it \
                  in the certificate of the web server, and hand the path to mailsetup.",
    },
    Code {
        id: "autodiscover-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "No Autodiscover.",
        explain: "Outlook, eM Client and others set up an account only by Autodiscover. Domains whose \
                  users have other clients do without it. Publish autodiscover.DOMAIN, include it in the \
                  certificate, and hand the path /autodiscover/autodiscover.xml to mailsetup.",
    },
    Code {
        id: "database-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "Not in Mozilla's database.",
        explain: "Mozilla's database has large providers only. All others publish their settings \
                  themselves.",
    },
    Code {
        id: "dns-broken",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "A DNS answer that cannot be used.",
        explain: "The answer cannot be read, or its CNAME records lead in a circle. Clients treat the name \
                  as missing.",
    },
    Code {
        id: "dns-dangling",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "An alias of a name without an address.",
        explain: "A CNAME record points to a name that does not exist or has no address. It often remains \
                  when a server or a hoster is given up. Somebody who registers the target later gets the \
                  requests of your users. Remove the record, or correct its target.",
    },
    Code {
        id: "dns-failed",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "A DNS server refuses or fails.",
        explain: "The DNS server answers with SERVFAIL or REFUSED. Frequent causes: DNSSEC signatures that \
                  have expired, a delegation to a server that does not have the zone. Clients treat it as \
                  if the name did not exist, some after a long wait. `dig +trace NAME` shows the server \
                  that fails.",
    },
    Code {
        id: "dns-timeout",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "No DNS server answers.",
        explain: "There was no answer in time, after several tries. Clients wait as long, and then treat \
                  the name as missing. Look at the DNS servers of the domain, and at the resolver that was \
                  asked (`--dns` asks another).",
    },
    Code {
        id: "dns-wildcard",
        stage: Stage::Dns,
        weight: Weight::Note,
        about: "Names that nobody has made have an address.",
        explain: "A wildcard record answers for every name, those that clients try among them. It does no \
                  harm as long as the web server there answers unknown names with 404.",
    },
    Code {
        id: "domain-absent",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "The domain does not exist.",
        explain: "DNS says that there is no such name. No client can find anything, and no mail arrives. \
                  Check the spelling, and whether the domain is registered and delegated to your DNS \
                  servers.",
    },
    Code {
        id: "mx-absent",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "No MX record.",
        explain: "Without an MX record, mail goes to the address of the domain itself, if it has one. \
                  Clients that look for settings at the MX host find none.",
    },
    Code {
        id: "mx-alias",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "An MX record that names an alias.",
        explain: "The host of an MX record may not be an alias (RFC 2181 §10.3). Some servers deliver no \
                  mail then.",
    },
    Code {
        id: "mx-no-address",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "An MX record that names a host without an address.",
        explain: "Mail for the domain is not delivered to this host.",
    },
    Code {
        id: "mx-null",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "The domain takes no mail.",
        explain: "A single MX record with the host `.` says that the domain takes no mail (RFC 7505).",
    },
    Code {
        id: "name-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "A host name that does not exist.",
        explain: "A client looks for this host as one of several ways. Its absence matters only to clients \
                  without another way.",
    },
    Code {
        id: "nothing-found",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "No client finds settings.",
        explain: "The domain publishes its settings in no way that any client looks at. Begin with \
                  autoconfig: it serves most clients.",
    },
    Code {
        id: "pacc-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "No PACC document.",
        explain: "PACC is a draft, and few clients read it yet. `[pacc] enabled = true` publishes it; \
                  `mailsetup dns` prints its records.",
    },
    Code {
        id: "pacc-digest",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "A record with the digest of another document.",
        explain: "The document was changed after the record was published. `mailsetup dns` prints the \
                  right one. While you change it, publish both.",
    },
    Code {
        id: "pacc-record",
        stage: Stage::Dns,
        weight: Weight::Fault,
        about: "No record with the digest of the PACC document.",
        explain: "Clients accept the document only if its SHA-256 digest is in the DNS.",
    },
    Code {
        id: "profile-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "No Apple profile.",
        explain: "Apple Mail asks no server by itself. A link to a profile spares users of iPhone, iPad \
                  and Mac the typing. mailsetup has it at https://autoconfig.DOMAIN/mobileconfig.",
    },
    Code {
        id: "srv-absent",
        stage: Stage::Dns,
        weight: Weight::Choice,
        about: "No SRV records of mail services.",
        explain: "Claws Mail and others find servers only by SRV records (RFC 6186, RFC 8314). `mailsetup \
                  dns DOMAIN` prints them.",
    },
    Code {
        id: "srv-alias",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "An SRV record that names an alias.",
        explain: "The target of an SRV record may not be an alias (RFC 2782). Some resolvers and clients \
                  give up there. Name the host that the CNAME record points to.",
    },
    Code {
        id: "srv-autodiscover-foreign",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "An _autodiscover._tcp record into another domain.",
        explain: "Outlook asks its user whether to trust the host in the other domain. Thunderbird asks if \
                  no Autodiscover address of the domain itself answers. A name autodiscover.DOMAIN leads \
                  to the same place without a question.",
    },
    Code {
        id: "srv-foreign",
        stage: Stage::Dns,
        weight: Weight::Note,
        about: "An SRV record that names a server in another domain.",
        explain: "Without DNSSEC, anybody on the way could have answered so. Clients should ask their user \
                  to confirm the host (RFC 6186 §6). That is normal for domains whose mail is hosted \
                  elsewhere.",
    },
    Code {
        id: "srv-no-address",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "An SRV record that names a host without an address.",
        explain: "The target has neither an A nor an AAAA record. Clients that follow the record fail or \
                  wait.",
    },
    Code {
        id: "stale-record",
        stage: Stage::Dns,
        weight: Weight::Risk,
        about: "A record of a former hoster.",
        explain: "The record points to a hoster, but the domain's mail is elsewhere. Clients that follow \
                  it find nothing there, or the settings of a service that is not yours; Outlook may offer \
                  a login at the former hoster.",
    },
    Code {
        id: "well-known-absent",
        stage: Stage::Dns,
        weight: Weight::Absence,
        about: "No autoconfig below .well-known of the domain.",
        explain: "Clients ask https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml where \
                  autoconfig.DOMAIN does not answer. Either of both is enough for most of them.",
    },
];
