/**
 * Brings a checkout to where `./tidemark` and `npm test` can run: packages installed, dist built. Does only what
 * is missing or stale, one process at a time, and writes to stderr alone. Needs Node and npm, nothing else.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => path.join(root, ...parts);
const work = at('.tidemark-setup');
const lockFile = path.join(work, 'lock');
const installStamp = at('node_modules', '.tidemark-setup');
const buildStamp = at('dist', '.built');
const compiler = at('node_modules', 'typescript', 'bin', 'tsc');

const say = (line) => process.stderr.write(`tidemark: ${line}\n`);

/** Modification time in milliseconds; -1 where there is no such file. */
const timeOf = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;

function fail(line) {
  say(line);
  process.exitCode = 2;
  throw undefined;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node.js ${process.versions.node} is too old; install 20.19 or newer`);
  }
}

/** Newest modification below a folder, folders included, so that deletions count; tests are not built. */
function newestBelow(folder) {
  let newest = timeOf(folder);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const child = path.join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestBelow(child));
    else if (!entry.name.endsWith('.test.ts')) newest = Math.max(newest, timeOf(child));
  }
  return newest;
}

const lockDigest = () =>
  createHash('sha256')
    .update(fs.readFileSync(at('package-lock.json')))
    .digest('hex');

function installIsStale() {
  if (!fs.existsSync(compiler)) return true;
  const lockTime = timeOf(at('package-lock.json'));
  if (timeOf(installStamp) > lockTime || timeOf(at('node_modules', '.package-lock.json')) > lockTime)
    return false;
  // The file's time moved (a checkout of another branch, say) but it may still say the same.
  const stamped = fs.existsSync(installStamp) ? fs.readFileSync(installStamp, 'utf8') : '';
  if (stamped !== lockDigest()) return true;
  fs.writeFileSync(installStamp, stamped);
  return false;
}

function buildIsStale() {
  const built = timeOf(buildStamp);
  if (built < 0 || !fs.existsSync(at('dist', 'cli', 'main.js'))) return true;
  return (
    Math.max(newestBelow(at('src')), timeOf(at('tsconfig.json')), timeOf(at('tsconfig.build.json'))) > built
  );
}

/** npm with its messages kept back; they are shown where it fails for good. */
function npm(...args) {
  const result = spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, NODE_ENV: 'development' },
  });
  return { ok: !result.error && result.status === 0, said: result.error?.message ?? result.stderr };
}

/** As the lock file has it; where a registry lacks packages of other platforms, npm ci refuses and install does not. */
function install() {
  say('installing packages ...');
  let result = npm('ci');
  if (!result.ok) result = npm('install', '--no-save');
  if (!result.ok) {
    process.stderr.write(`${result.said.trim().split('\n').slice(0, 20).join('\n')}\n`);
    fail('npm could not install the packages; check the network or the npm registry and try again');
  }
  fs.writeFileSync(installStamp, lockDigest());
}

/** Compiles beside dist and swaps the folder in, so that no launch sees half a build. */
function build() {
  say('building ...');
  const started = new Date();
  const fresh = path.join(work, `dist-${process.pid}`);
  const old = path.join(work, `old-${process.pid}`);
  fs.rmSync(fresh, { recursive: true, force: true });
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
    cwd: root,
    encoding: 'utf8',
  });
  if (!fs.existsSync(path.join(fresh, 'cli', 'main.js'))) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    fail('the build failed');
  }
  // Types are checked by `npm test`; a type error does not stop the program from being run.
  if (result.status !== 0)
    say(
      `built with ${result.stdout.split('error TS').length - 1} type errors (npm run typecheck lists them)`,
    );
  fs.writeFileSync(path.join(fresh, '.built'), '');
  fs.utimesSync(path.join(fresh, '.built'), started, started);
  if (fs.existsSync(at('dist'))) fs.renameSync(at('dist'), old);
  fs.renameSync(fresh, at('dist'));
  fs.rmSync(old, { recursive: true, force: true });
}

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** True when the lock is ours; removes one whose owner is gone. */
function takeLock() {
  try {
    fs.writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = Number(fs.existsSync(lockFile) ? fs.readFileSync(lockFile, 'utf8') : 0);
  const abandoned = owner ? !alive(owner) : Date.now() - timeOf(lockFile) > 5000;
  if (abandoned) fs.rmSync(lockFile, { force: true });
  return false;
}

function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function setUp() {
  checkNode();
  if (!installIsStale() && !buildIsStale()) return;
  fs.mkdirSync(work, { recursive: true });
  let told = false;
  while (!takeLock()) {
    if (!told) say('waiting for another set-up to finish ...');
    told = true;
    pause(100);
  }
  process.on('exit', () => fs.rmSync(lockFile, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(2));
  if (installIsStale()) install();
  if (buildIsStale()) build();
}

try {
  setUp();
} catch (error) {
  if (error !== undefined) {
    say(`set-up failed: ${error.message}`);
    process.exitCode = 2;
  }
}
