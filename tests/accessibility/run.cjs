// Checks the page, and the reports of mailsetup-probe, in Chromium: axe-core finds no violations (WCAG 2.2 AA and its best practice) on a
// phone and on a wide screen, light and dark, also from right to left and in signs of East Asia; nothing is
// wider than the screen in any language; the policy blocks no part of the page; copying works, and without
// JavaScript all values are shown and no button. The reports are target/tmp/report-*.html, which a test of
// mailsetup-probe writes.
//
//   cd tests/accessibility && npm ci --ignore-scripts && node run.cjs ../../target/debug/mailsetup [FOLDER]
//
// FOLDER gets the pictures of docs/screenshots. Needs Chromium (Debian: chromium). Requests are only sent
// over loopback.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const puppeteer = require('puppeteer-core');

const [program, pictures] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const port = 8935;
const site = 'http://www.example.org';
const pages = {
  form: '/',
  settings: '/?emailaddress=ann@example.org',
  invalid: '/?emailaddress=ann',
  unknown: '/?emailaddress=ann@nowhere.example',
};
// Where the page is in these languages, axe-core looks at it, too.
const languages = ['ar', 'ja'];
const all = fs.readdirSync(path.join(__dirname, '../../src/page/languages')).map((file) => path.parse(file).name);
const reports = ['good', 'bad'];
const complaints = [];
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function open(browser, width, language) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: width < 600 ? 640 : 800 });
  await page.setExtraHTTPHeaders({ 'Accept-Language': language });
  return page;
}

// The page is not wider than the screen, and each value is written in its own direction.
async function measure(page, where, language) {
  const seen = await page.evaluate(() => {
    const values = [...document.querySelectorAll('.row:has(.copy) .value, .for strong, footer a[href^="mailto:"]')];
    const { direction } = getComputedStyle(document.body);
    // Values are at the side where the language begins to read.
    const edge = (one) => one.getBoundingClientRect()[direction === 'rtl' ? 'right' : 'left'];
    const edges = [...document.querySelectorAll('.row:has(.copy) dd:has(.value)')];
    return {
      language: document.documentElement.lang,
      direction,
      isWide: document.documentElement.scrollWidth > innerWidth,
      turned: values.filter((one) => getComputedStyle(one).direction !== 'ltr').map((one) => one.textContent),
      moved: edges.filter((one) => Math.abs(edge(one) - edge(one.querySelector('.value'))) > 1).length,
    };
  });
  const direction = ['ar', 'he'].includes(language) ? 'rtl' : 'ltr';
  if (seen.language !== language || seen.direction !== direction) complaints.push(`${where}: it is in ${seen.language}, ${seen.direction}`);
  if (seen.isWide) complaints.push(`${where}: wider than the screen`);
  if (seen.turned.length || seen.moved) complaints.push(`${where}: ${seen.turned} turned around, ${seen.moved} at the wrong side`);
}

// A report is a file: it loads nothing and runs nothing.
async function report(browser, name, width, scheme) {
  const page = await open(browser, width, 'en');
  const where = `report ${name}, ${width} px, ${scheme}`;
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  const file = 'file://' + path.join(__dirname, `../../target/tmp/report-${name}.html`);
  page.on('request', (request) => {
    if (request.url() !== file && !request.url().startsWith('data:')) complaints.push(`${where}: asks for ${request.url()}`);
  });
  await page.goto(file);
  await measure(page, where, 'en');
  if (pictures && name === 'bad' && (scheme === 'light') === (width > 600)) await page.screenshot({ path: path.join(pictures, `report-${width}-${scheme}.png`) });
  await check(page, where);
  await page.emulateMediaType('print');
  await page.setViewport({ width: 640, height: 900 });
  await measure(page, `${where}, printed`, 'en');
  await page.close();
}

async function check(page, where) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(
    (values) => axe.run(document, { runOnly: { type: 'tag', values } }), tags);
  for (const { id, nodes } of violations) {
    complaints.push(`${where}: ${id}: ${nodes.map((node) => node.html).join(' ')}`);
  }
  if (passes.length < 10) complaints.push(`${where}: axe-core looked at next to nothing`);
}

async function look(browser, name, width, scheme, language) {
  const page = await open(browser, width, language);
  const where = `${name}, ${width} px, ${scheme}, ${language}`;
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  // axe-core must be injected.
  await page.setBypassCSP(true);
  await page.goto(site + pages[name]);
  await measure(page, where, language);
  const file = language === 'en' ? `${name}-${width}-${scheme}.png` : `${name}-${language}-${width}-${scheme}.png`;
  if (pictures && language !== 'ja' && (name === 'form' || name === 'settings')) await page.screenshot({ path: path.join(pictures, file) });
  await check(page, where);
  await page.close();
}

// As in a browser, with the policy in force.
async function use(browser) {
  const page = await browser.newPage();
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(site) && !request.url().startsWith('data:')) complaints.push(`asks for ${request.url()}`);
  });
  const buttons = () => page.$$eval('.copy', (all) => all.filter((one) => one.checkVisibility()).length);
  await page.goto(site + pages.settings);
  if (await buttons() === 0) complaints.push('no copy buttons');
  await browser.defaultBrowserContext().overridePermissions(site, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  await page.click('.copy');
  await pause(300);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const status = await page.$eval('#status', (one) => one.textContent);
  if (copied !== 'mail.example.org' || status !== 'Copied') complaints.push(`copied ${copied}, said ${status}`);
  await page.setJavaScriptEnabled(false);
  await page.goto(site + '/');
  // Phones add blanks, which a browser sends as plus signs.
  await page.type('#emailaddress', ' ann+x@example.org ');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  if (await buttons() !== 0) complaints.push('copy buttons without JavaScript');
  const text = await page.$eval('main', (main) => main.innerText);
  for (const value of ['For ann+x@example.org', 'mail.example.org', '993', '465', 'SSL/TLS']) {
    if (!text.includes(value)) complaints.push(`without JavaScript there is no ${value}`);
  }
  await page.close();
}

(async () => {
  const service = spawn(program, ['--config', path.join(__dirname, 'config.toml'), 'serve', '--http', `127.0.0.1:${port}`], { stdio: 'inherit' });
  const userDataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'mailsetup-chromium-'));
  let browser;
  try {
    await pause(500);
    browser = await puppeteer.launch({
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      userDataDir,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', `--host-resolver-rules=MAP www.example.org:80 127.0.0.1:${port}`,
        // Treated like https: only then there is a clipboard.
        `--unsafely-treat-insecure-origin-as-secure=${site}`],
    });
    for (const scheme of ['light', 'dark']) {
      for (const width of [320, 1280]) {
        for (const name of reports) await report(browser, name, width, scheme);
        for (const name of Object.keys(pages)) await look(browser, name, width, scheme, 'en');
        for (const name of ['invalid', 'settings']) {
          for (const language of languages) await look(browser, name, width, scheme, language);
        }
      }
    }
    for (const language of all) {
      for (const name of ['unknown', 'settings']) {
        const page = await open(browser, 320, language);
        await page.goto(site + pages[name]);
        await measure(page, `${name}, 320 px, ${language}`, language);
        await page.close();
      }
    }
    await use(browser);
  } finally {
    await browser?.close();
    service.kill();
    fs.rmSync(userDataDir, { recursive: true, force: true });
  }
  for (const complaint of complaints) console.error(complaint);
  console.log(`${complaints.length} complaints`);
  process.exit(complaints.length ? 1 : 0);
})();
