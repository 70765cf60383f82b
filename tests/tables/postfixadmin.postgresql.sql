-- PostfixAdmin: the same in PostgreSQL.
CREATE TABLE domain (
  domain character varying(255) NOT NULL,
  description character varying(255) NOT NULL default '',
  aliases integer NOT NULL default 0,
  mailboxes integer NOT NULL default 0,
  maxquota bigint NOT NULL default 0,
  quota bigint NOT NULL default 0,
  transport character varying(255) default NULL,
  backupmx boolean NOT NULL default false,
  created timestamp with time zone default now(),
  modified timestamp with time zone default now(),
  active boolean NOT NULL default true,
  Constraint "domain_key" Primary Key ("domain")
);
CREATE TABLE alias_domain (
  alias_domain character varying(255) NOT NULL REFERENCES domain(domain) ON DELETE CASCADE,
  target_domain character varying(255) NOT NULL REFERENCES domain(domain) ON DELETE CASCADE,
  created timestamp with time zone default now(),
  modified timestamp with time zone default now(),
  active boolean NOT NULL default true,
  PRIMARY KEY(alias_domain)
);
