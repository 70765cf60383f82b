INSERT INTO users (email, password) VALUES
  ('ann@example.org', ''), ('ben@example.org', ''), ('ann@example.net', ''),
  ('admin@xn--bcher-kva.example', '');
INSERT INTO aliases (source, destination) VALUES
  ('@alias.example', '@example.org'), ('info@example.org', 'ann@example.org');
INSERT INTO auto_aliases (source, destination) VALUES
  ('postmaster@alias.example', 'administrator@box.example.org');
