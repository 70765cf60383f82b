-- Mailu: the tables that the migrations of core/admin of Mailu/Mailu make (commit bbb1c206, 2026-07-26).
CREATE TABLE domain (
  created_at DATE NOT NULL,
  updated_at DATE,
  comment VARCHAR(255),
  name VARCHAR(80) NOT NULL,
  max_users INTEGER NOT NULL,
  max_aliases INTEGER NOT NULL,
  max_quota_bytes BIGINT NOT NULL,
  signup_enabled BOOLEAN NOT NULL,
  anonmail_enabled BOOLEAN NOT NULL,
  CONSTRAINT domain_pkey PRIMARY KEY (name)
);
CREATE TABLE alternative (
  created_at DATE NOT NULL,
  updated_at DATE,
  comment VARCHAR(255),
  name VARCHAR(80) NOT NULL,
  domain_name VARCHAR(80),
  CONSTRAINT alternative_pkey PRIMARY KEY (name),
  CONSTRAINT alternative_domain_name_fkey FOREIGN KEY(domain_name) REFERENCES domain (name)
);
CREATE TABLE relay (
  created_at DATE NOT NULL,
  updated_at DATE,
  comment VARCHAR(255),
  name VARCHAR(80) NOT NULL,
  smtp VARCHAR(80),
  CONSTRAINT relay_pkey PRIMARY KEY (name)
);
