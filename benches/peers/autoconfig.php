<?php
/* A peer for comparison with mailsetup: autoconfig in PHP, as a careful admin would write it.
 *
 * Reads the address and the Host, refuses an invalid address, answers only for configured domains,
 * and writes the same document with the same header fields as mailsetup for the same domains; the
 * benchmark checks that before it measures. Plain strings and no library: the fastest way in PHP. */

const DOMAINS = [
    'example.org' => true, 'd1.example' => true, 'd2.example' => true, 'd3.example' => true,
    'd4.example' => true, 'd5.example' => true, 'd6.example' => true, 'd7.example' => true,
    'd8.example' => true, 'd9.example' => true, 'd10.example' => true, 'd11.example' => true,
    'd12.example' => true, 'd13.example' => true, 'd14.example' => true, 'd15.example' => true,
    'd16.example' => true, 'd17.example' => true, 'd18.example' => true, 'd19.example' => true,
];
const HOST_PREFIXES = ['autoconfig.', 'autodiscover.', 'ua-auto-config.', 'www.'];

function refuse(int $status, string $line): never {
    http_response_code($status);
    header('Content-Type: text/plain; charset=utf-8');
    header('Cache-Control: no-store');
    header('Content-Length: ' . (strlen($line) + 1));
    echo $line, "\n";
    exit;
}

/* The configured domain that a Host stands for. */
function domain_of_host(): ?string {
    $host = strtolower(rtrim(preg_replace('/:\d+$/', '', $_SERVER['HTTP_HOST'] ?? ''), '.'));
    foreach (HOST_PREFIXES as $prefix) {
        if (str_starts_with($host, $prefix) && !isset(DOMAINS[$host])) {
            $host = substr($host, strlen($prefix));
            break;
        }
    }
    return isset(DOMAINS[$host]) ? $host : null;
}

/* The configured domain of an address. */
function domain_of_address(string $address): ?string {
    $domain = strtolower(substr(strrchr($address, '@'), 1));
    return isset(DOMAINS[$domain]) ? $domain : null;
}

function server(string $element, string $type, string $host, int $port, string $security): string {
    return <<<XML
            <$element type="$type">
              <hostname>$host</hostname>
              <port>$port</port>
              <socketType>$security</socketType>
              <authentication>password-cleartext</authentication>
              <username>%EMAILADDRESS%</username>
            </$element>

        XML;
}

if (!in_array($_SERVER['REQUEST_METHOD'], ['GET', 'HEAD'], true)) {
    header('Allow: GET, HEAD');
    refuse(405, 'this address is for GET');
}
$address = $_GET['emailaddress'] ?? '';
if (!is_string($address) || ($address !== '' && !filter_var($address, FILTER_VALIDATE_EMAIL))) {
    refuse(400, 'emailaddress is not an e-mail address');
}
$host_domain = domain_of_host();
$of_address = $address === '' ? null : domain_of_address($address);
$domain = $of_address ?? $host_domain;
if ($domain === null) {
    refuse(404, 'this domain is not configured');
}

$name = htmlspecialchars($domain, ENT_XML1 | ENT_NOQUOTES);
$also = $of_address !== null && $host_domain !== null && $host_domain !== $domain
    ? "    <domain>$host_domain</domain>\n"
    : '';
$document = <<<XML
    <?xml version="1.0" encoding="UTF-8"?>
    <clientConfig version="1.1">
      <emailProvider id="$name">
        <domain>$name</domain>

    XML
    . $also
    . "    <displayName>$name</displayName>\n    <displayShortName>$name</displayShortName>\n"
    . server('incomingServer', 'imap', "mail.$name", 993, 'SSL')
    . server('incomingServer', 'pop3', "mail.$name", 995, 'SSL')
    . server('outgoingServer', 'smtp', "mail.$name", 587, 'STARTTLS')
    . "  </emailProvider>\n</clientConfig>\n";

header('Content-Type: text/xml; charset=utf-8');
header('Access-Control-Allow-Origin: *');
if ($address !== '') {
    header('Cache-Control: no-store');
} else {
    $tag = '"' . md5($document) . '"';
    header('Cache-Control: public, max-age=300');
    header("ETag: $tag");
    if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === $tag) {
        http_response_code(304);
        exit;
    }
}
header('Content-Length: ' . strlen($document));
if ($_SERVER['REQUEST_METHOD'] !== 'HEAD') {
    echo $document;
}
