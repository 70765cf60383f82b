-- Modoboa: the tables that Django makes of the models Domain and DomainAlias in modoboa/admin/models
-- of modoboa/modoboa (commit 9ec74970, 2026-08-04), without keys to other tables.
CREATE TABLE admin_domain (
  id serial NOT NULL PRIMARY KEY,
  creation timestamp with time zone NOT NULL DEFAULT now(),
  last_modification timestamp with time zone NOT NULL DEFAULT now(),
  name varchar(253) NOT NULL UNIQUE,
  quota integer NOT NULL DEFAULT 0 CHECK (quota >= 0),
  default_mailbox_quota integer NOT NULL DEFAULT 0 CHECK (default_mailbox_quota >= 0),
  message_limit integer NULL,
  enabled boolean NOT NULL,
  type varchar(20) NOT NULL,
  enable_dns_checks boolean NOT NULL DEFAULT true,
  last_dns_check_execution timestamp with time zone NULL,
  transport_id integer NULL UNIQUE,
  enable_dkim boolean NOT NULL DEFAULT false,
  dkim_key_selector varchar(30) NOT NULL DEFAULT 'modoboa',
  dkim_key_length integer NULL,
  dkim_public_key text NOT NULL DEFAULT '',
  dkim_private_key_path varchar(254) NOT NULL DEFAULT ''
);
CREATE TABLE admin_domainalias (
  id serial NOT NULL PRIMARY KEY,
  creation timestamp with time zone NOT NULL DEFAULT now(),
  last_modification timestamp with time zone NOT NULL DEFAULT now(),
  name varchar(100) NOT NULL UNIQUE,
  enabled boolean NOT NULL,
  target_id integer NOT NULL REFERENCES admin_domain (id)
);
