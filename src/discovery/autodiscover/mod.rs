//! Microsoft Autodiscover ([MS-OXDSCLI], [MS-OXDISCO]), one file per form.

pub mod pox;
