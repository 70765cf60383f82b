//! What the output of mail servers says about the settings of mail clients: text in, facts out.
//!
//! `facts` are what any mail server can tell. Each reader takes the output of a command, or a file,
//! and says where it saw each fact. What cannot be known is noted, and never made up. No I/O.

pub mod assemble;
pub mod dovecot;
pub mod exim;
mod expansion;
pub mod facts;
pub mod listening;
pub mod opensmtpd;
pub mod postfix;
pub mod recognised;
