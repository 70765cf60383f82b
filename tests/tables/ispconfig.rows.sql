INSERT INTO mail_domain (server_id, domain, active) VALUES
  (1, 'example.org', 'y'),
  (1, 'example.net', 'y'),
  (2, 'example.org', 'y'),
  (1, 'alias.example', 'y'),
  (1, 'gone.example', 'n'),
  (1, 'inactive.example', 'n');
INSERT INTO mail_forwarding (server_id, source, destination, type, active) VALUES
  (1, '@alias.example', '@example.org', 'aliasdomain', 'y'),
  (1, '@gone.example', '@example.org', 'aliasdomain', 'n'),
  (1, '@dead.example', '@inactive.example', 'aliasdomain', 'y'),
  (1, '@example.net', 'ann@elsewhere.example', 'catchall', 'y'),
  (1, 'info@example.org', 'ann@example.org, ben@example.net', 'alias', 'y');
