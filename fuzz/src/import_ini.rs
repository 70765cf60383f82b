//! automx.conf and config.php of isp-mailConfig: any text. See `drafted` for the checks.

use super::drafted;
use mailsetup::import::{ini, isp_mail_config};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    drafted::run(data, ini::read("file", text));
    drafted::run(data, Ok(isp_mail_config::read("file", text)));
}
