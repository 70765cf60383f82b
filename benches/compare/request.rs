//! A request as nginx sends it for Thunderbird, for counting instructions.

use crate::common::http::Request;
use crate::common::{cgi, fcgi};

/// The parameters of Debian's `fastcgi_params` for nginx in addition to the variables of CGI.
const NGINX: [(&str, &str); 8] = [
    ("DOCUMENT_ROOT", "/usr/share/nginx/html"),
    ("DOCUMENT_URI", "/mailsetup"),
    ("HTTPS", "on"),
    ("REDIRECT_STATUS", "200"),
    ("REMOTE_PORT", "40000"),
    ("SERVER_ADDR", "192.0.2.2"),
    ("CONTENT_TYPE", ""),
    ("CONTENT_LENGTH", ""),
];
/// The fields that Thunderbird sends in addition to the Host.
const THUNDERBIRD: [(&str, &str); 4] = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0"),
    ("Accept", "*/*"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate"),
];

/// The records of a request as nginx sends them on a keepalive connection.
pub fn of_nginx(request: &Request) -> Vec<u8> {
    let client = THUNDERBIRD
        .iter()
        .fold(request.clone(), |request, (name, value)| request.header(name, value));
    let mut variables = cgi::variables(&client);
    let is_set = |variables: &[(Vec<u8>, _)], name: &str| {
        variables.iter().any(|(known, _)| known == name.as_bytes())
    };
    for (name, value) in NGINX {
        if !is_set(&variables, name) {
            variables.push((name.into(), value.into()));
        }
    }
    let parameters = fcgi::pairs(variables.iter().map(|(name, value)| (&name[..], &value[..])));
    let body = request.body.as_deref().unwrap_or_default();
    let mut records = fcgi::record(fcgi::BEGIN_REQUEST, 1, &[0, 1, 1, 0, 0, 0, 0, 0], true);
    records.extend(fcgi::record(fcgi::PARAMS, 1, &parameters, true));
    records.extend(fcgi::record(fcgi::PARAMS, 1, b"", true));
    if !body.is_empty() {
        records.extend(fcgi::record(fcgi::STDIN, 1, body, true));
    }
    records.extend(fcgi::record(fcgi::STDIN, 1, b"", true));
    records
}
