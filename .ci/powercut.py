"""The part of `.ci/powercut` that runs in the virtual machine: a daemon whose state is on a disk that loses its unsynced writes.

A writer changes the folder as fast as it can, and a reader notes what the daemon has shown: an id, an address and dates, or a 410. That is
acknowledged. At a random moment the disk is suspended, and from then on it ignores all writes. The daemon is killed, the disk is mounted
again with what it held at that moment, and a new daemon must show all that was acknowledged.

Arguments: the number of cuts, the number of controls, and the seed of the random numbers. The last line is PASS or FAIL.
"""

import glob
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

DEVICE, ARTICLES_DEVICE = "/dev/vdc", "/dev/vdd"
MOUNTED, ARTICLES = "/run/state", "/run/articles"
PORT = 8080
# Largest number of articles in a folder; above it, the writer deletes more than it creates.
MAX_ARTICLES = 80
# Files that are there at once for an import: more than the number above which the daemon reads a folder as a whole.
IMPORT = 240
# Seconds after which a daemon must show the whole folder. An emulated processor is slow.
SETTLE = 480
# Modification time of all files, so that no date that the daemon assigns while it runs can be derived from a file again.
LONG_AGO = 1_000_000_000
# Messages that no start after a power cut may log.
HARM = re.compile(r"damaged|left out|panick|lacked articles|missing or empty|cannot use the record| ERROR ")


def run(*command):
    """Runs a command that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
    return done.stdout


class Disk:
    """The disk of the state. While it is off, it ignores writes and reports success."""

    def __init__(self):
        with open(f"/sys/class/block/{os.path.basename(DEVICE)}/size") as size:
            self.sectors = int(size.read())
        run("dmsetup", "create", "state", "--table", self.table("on"))
        run("mkfs.ext4", "-q", "-F", "/dev/mapper/state")
        self.mount()

    def table(self, power):
        if power == "on":
            return f"0 {self.sectors} linear {DEVICE} 0"
        return f"0 {self.sectors} flakey {DEVICE} 0 0 1 1 drop_writes"

    def mount(self):
        run("mount", "-t", "ext4", "/dev/mapper/state", MOUNTED)

    def suspend(self):
        """Holds back all requests. Neither the file system nor the cache of pages is flushed."""
        run("dmsetup", "suspend", "--nolockfs", "--noflush", "state")

    def resume(self, power):
        run("dmsetup", "load", "state", "--table", self.table(power))
        run("dmsetup", "resume", "state")

    def restore(self):
        """Unmounts the disk while it ignores writes, and mounts what it held at the cut."""
        run("umount", MOUNTED)
        self.suspend()
        self.resume("on")
        run("blockdev", "--flushbufs", "/dev/mapper/state")
        with open("/proc/sys/vm/drop_caches", "w") as caches:
            caches.write("3")
        self.mount()


class Daemon:
    """A daemon on the folder. With `preload`, its fsync and fdatasync do nothing."""

    def __init__(self, site, preload=None):
        self.log = f"/tmp/log-{time.monotonic_ns()}"
        environment = dict(os.environ, **({"LD_PRELOAD": preload} if preload else {}))
        with open(self.log, "w") as log:
            command = ["/mnt/gazetted", "serve", "--config", site.configuration]
            self.process = subprocess.Popen(command, stderr=log, stdout=log, env=environment)

    def lines(self):
        with open(self.log, errors="replace") as log:
            return log.read().splitlines()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def get(path):
    """Returns status, headers and body of a response; `None` without a response."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def feed():
    """Returns the entries of the main feed by the names of their articles, and its modification date; `None` without a response."""
    response = get("/feed.json")
    if response is None or response[0] != 200:
        return None
    modified = response[1]["last-modified"]
    entries = [Entry(item) for item in json.loads(response[2])["items"]]
    return entries, time.mktime(time.strptime(modified, "%a, %d %b %Y %H:%M:%S GMT"))


class Entry:
    """An entry as a reader sees it."""

    def __init__(self, item):
        self.name = item["title"].split()[-1]
        self.revision = int(re.search(r"revision (\d+)", item["content_html"]).group(1))
        self.id, self.url = item["id"], item["url"]
        self.published, self.updated = item["date_published"], item["date_modified"]

    def identity(self):
        return self.id, self.url, self.published


class Article:
    """A file, and what readers have seen of it. A file has one change at most that no reader has seen."""

    def __init__(self, name, path):
        self.name, self.path, self.revision = name, path, 0
        self.created = time.monotonic()
        self.is_deleted = False
        # The entry that was acknowledged, and whether its deletion was.
        self.entry, self.is_gone = None, False
        # When the file was moved, until that is known to be recorded.
        self.moved = None

    def is_settled(self):
        return self.entry is not None and self.entry.revision == self.revision and self.moved is None

    def write(self, folder):
        """Writes the file, in one of the two ways in which editors do."""
        text = f"# Article {self.name}\n\nThis is revision {self.revision}.\n"
        file = os.path.join(folder, self.path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        target = os.path.join(os.path.dirname(file), ".new") if random.random() < 0.5 else file
        with open(target, "w") as out:
            out.write(text)
            out.flush()
            os.utime(out.fileno(), (LONG_AGO, LONG_AGO))
        if target != file:
            os.rename(target, file)


class Site:
    """A folder, its state directory, and all that was acknowledged."""

    def __init__(self, number):
        self.folder, self.state = f"{ARTICLES}/{number}", f"{MOUNTED}/{number}"
        self.configuration = f"/tmp/site-{number}.toml"
        os.makedirs(self.folder)
        with open(self.configuration, "w") as out:
            out.write(
                f'[site]\nbase_url = "http://127.0.0.1:{PORT}/"\n[http]\nlisten = "127.0.0.1:{PORT}"\n'
                f'[articles]\ndirectory = "{self.folder}"\n[state]\ndirectory = "{self.state}"\n'
                '[feed]\nentries = 20000\nmax_bytes = "64 MiB"\n'
            )
        self.lock = threading.Lock()
        self.articles, self.next = {}, 0
        # The article of each id that was ever seen.
        self.owners = {}
        self.modified = 0
        # Contradictions between what readers saw and what they had seen.
        self.faults = []
        # From the cut on, nothing is acknowledged.
        self.is_cut = False
        self.is_ending = False

    def create(self):
        number, self.next = self.next, self.next + 1
        # Ten files have one name, in ten folders: their addresses differ by numbers that only the catalog knows.
        article = Article(f"n{number}", f"d{number % 10}/note-{number // 10}.md")
        article.write(self.folder)
        self.articles[article.name] = article

    def change(self):
        """Makes one change of the folder."""
        alive = [article for article in self.articles.values() if not article.is_deleted]
        settled = [article for article in alive if article.is_settled()]
        action = random.choices(["create", "edit", "move", "delete"], [4, 3, 2, 2 + 4 * (len(alive) > MAX_ARTICLES)])[0]
        if action == "create" or not settled:
            if len(alive) < 2 * MAX_ARTICLES:
                self.create()
            return
        article = random.choice(settled)
        file = os.path.join(self.folder, article.path)
        if action == "edit":
            article.revision += 1
            article.write(self.folder)
        elif action == "move":
            article.path = f"moved/{article.name}-{random.randrange(10**6)}.md"
            os.makedirs(f"{self.folder}/moved", exist_ok=True)
            os.rename(file, os.path.join(self.folder, article.path))
            article.moved = time.monotonic()
        else:
            article.is_deleted = True
            os.unlink(file)

    def write_always(self, pause):
        while not self.is_ending:
            with self.lock:
                self.change()
            time.sleep(random.random() * pause)

    def read_always(self):
        while not self.is_ending:
            self.read_once()
            time.sleep(0.1)

    def read_once(self):
        """Notes what readers see now. Returns the entries; `None` without a response."""
        current = feed()
        if current is None:
            return None
        entries, modified = current
        with self.lock:
            if self.is_cut:
                return None
            self.acknowledge(entries, modified)
            names = {entry.name for entry in entries}
            deleted = [
                article
                for article in self.articles.values()
                if article.is_deleted and article.entry and not article.is_gone and article.name not in names
            ]
        for article in deleted[:5]:
            response = get(article.entry.url.removeprefix(f"http://127.0.0.1:{PORT}"))
            with self.lock:
                article.is_gone |= response is not None and response[0] == 410 and not self.is_cut
        return entries

    def acknowledge(self, entries, modified):
        if modified < self.modified:
            self.faults.append(f"the feed is older than before: {modified} after {self.modified}")
        self.modified = max(self.modified, modified)
        newest = 0
        for entry in entries:
            article = self.articles[entry.name]
            owner = self.owners.setdefault(entry.id, entry.name)
            if owner != entry.name:
                self.faults.append(f"{entry.name} has the id of {owner}: {entry.id}")
            before = article.entry
            if before is None:
                newest = max(newest, article.created)
            elif before.identity() != entry.identity():
                self.faults.append(f"{entry.name} was {before.identity()} and is {entry.identity()}")
            elif before.revision == entry.revision and before.updated != entry.updated:
                self.faults.append(f"{entry.name} was updated {before.updated} and is now {entry.updated}")
            article.entry = entry
        if len({entry.id for entry in entries}) < len(entries) or len({entry.url for entry in entries}) < len(entries):
            self.faults.append("two entries have one id or one address")
        # An article that was created well after a move has been seen, so the move is recorded.
        for article in self.articles.values():
            if article.moved is not None and article.moved + 2 < newest:
                article.moved = None

    def acknowledged(self):
        """The numbers of entries and deletions that were acknowledged."""
        articles = self.articles.values()
        return sum(a.entry is not None and not a.is_deleted for a in articles), sum(a.is_gone for a in articles)

    def check(self, daemon):
        """Checks a daemon that was started after a cut. Returns what is wrong."""
        self.is_cut = False
        limit = time.monotonic() + SETTLE
        expected = {(a.name, a.revision) for a in self.articles.values() if not a.is_deleted}
        entries = []
        while time.monotonic() < limit and daemon.process.poll() is None:
            entries = self.read_once() or entries
            if {(entry.name, entry.revision) for entry in entries} == expected:
                break
            time.sleep(0.2)
        else:
            present = {(entry.name, entry.revision) for entry in entries}
            self.faults.append(f"missing: {sorted(expected - present)[:5]}; unexpected: {sorted(present - expected)[:5]}")
        # A new article of the same name may have the address of a deleted one.
        given = {entry.url for entry in entries}
        for article in [a for a in self.articles.values() if a.is_deleted and a.entry and a.entry.url not in given]:
            response = get(article.entry.url.removeprefix(f"http://127.0.0.1:{PORT}"))
            if response is None or response[0] != 410:
                self.faults.append(f"{article.name} was deleted, and its address answers {response and response[0]}")
        for article in self.articles.values():
            article.moved = None
        self.faults += [line for line in daemon.lines() if HARM.search(line)]
        # A fault is found by each poll. Those that were found before the cut count as well.
        found, self.faults = list(dict.fromkeys(self.faults)), []
        return found


def integrity(state):
    """Checks a copy of the catalog, so that the daemon finds the file as the cut left it. Returns what is wrong."""
    copy = "/tmp/copy"
    shutil.rmtree(copy, ignore_errors=True)
    os.makedirs(copy)
    for file in glob.glob(f"{state}/catalog.sqlite*"):
        if not file.endswith("-shm"):
            shutil.copy(file, copy)
    if not os.path.exists(f"{copy}/catalog.sqlite"):
        return []
    connection = sqlite3.connect(f"{copy}/catalog.sqlite")
    try:
        findings = [row[0] for row in connection.execute("PRAGMA integrity_check(100000)")]
    except sqlite3.DatabaseError as error:
        findings = [str(error)]
    finally:
        connection.close()
    # SQLite 3.40 takes columns of tables without row ids for others when it looks for NULL. The tables of the catalog are strict.
    return [f"SQLite's check: {finding}" for finding in findings if finding != "ok" and not finding.startswith("NULL value in")]


def cut(disk, site, daemon):
    """Runs the writer, and cuts the power at a random moment. Returns the numbers of what was acknowledged."""
    site.is_ending = False
    threads = [
        threading.Thread(target=site.write_always, args=[random.choice([0.01, 0.05, 0.2])]),
        threading.Thread(target=site.read_always),
    ]
    for thread in threads:
        thread.start()
    acknowledged_before = {name for name, article in site.articles.items() if article.entry}
    # One cut of ten comes early; before the others, something must have been acknowledged since the start.
    is_early = random.random() < 0.1
    limit = time.monotonic() + (10 * random.random() if is_early else SETTLE)
    while time.monotonic() < limit and daemon.process.poll() is None:
        with site.lock:
            if any(article.entry and name not in acknowledged_before for name, article in site.articles.items()):
                break
        time.sleep(0.02)
    else:
        if not is_early and daemon.process.poll() is None:
            site.faults.append(f"no article was shown for the first time within {SETTLE} s")
    time.sleep(random.random() * random.choice([0.2, 2, 6]))
    if daemon.process.poll() is not None:
        raise RuntimeError("the daemon ended before the cut:\n" + "\n".join(daemon.lines()[-5:]))
    disk.suspend()
    with site.lock:
        site.is_cut = True
    # Requests that succeed from here on change nothing that is on the disk, and nothing is acknowledged by them.
    site.is_ending = True
    disk.resume("off")
    daemon.kill()
    for thread in threads:
        thread.join()
    disk.restore()
    return site.acknowledged()


def round_of(disk, site, name, daemon=None, preload=None):
    """One cut and its check. Returns whether all that was acknowledged is there again, and the daemon that has shown it."""
    begun = time.monotonic()
    before = daemon or Daemon(site, preload)
    entries, deletions = cut(disk, site, before)
    faults = integrity(site.state)
    daemon = Daemon(site, preload)
    faults += site.check(daemon)
    verdict = f"{len(faults)} faults" if faults else "nothing lost"
    seconds = time.monotonic() - begun
    print(f"{name}: {entries} articles and {deletions} deletions acknowledged, {verdict}, {seconds:.0f} s", flush=True)
    for fault in faults[: 3 if preload else 8]:
        print(f"  {fault}", flush=True)
    if faults and not preload:
        for line in before.lines()[-3:] + daemon.lines()[:6]:
            print(f"  | {line[:200]}", flush=True)
    return not faults, daemon


def new_site(number, kind):
    """A site with a folder full of files, and without a catalog ("first"), with an empty one, or with one of a few articles ("known")."""
    site = Site(number)
    if kind != "first":
        for _ in range(10 if kind == "known" else 0):
            site.create()
        daemon = Daemon(site)
        limit = time.monotonic() + SETTLE
        while time.monotonic() < limit:
            entries = site.read_once()
            if entries is not None and len(entries) == len(site.articles):
                break
            time.sleep(0.1)
        daemon.stop()
    for _ in range(IMPORT):
        site.create()
    return site


def main(cuts, controls, seed):
    random.seed(seed)
    for folder in (MOUNTED, ARTICLES):
        os.makedirs(folder, exist_ok=True)
    run("modprobe", "dm-flakey")
    run("busybox", "ip", "link", "set", "lo", "up")
    run("mkfs.ext4", "-q", "-F", ARTICLES_DEVICE)
    run("mount", "-t", "ext4", ARTICLES_DEVICE, ARTICLES)
    disk = Disk()
    print(f"ready {time.monotonic():.0f} s after the start", flush=True)
    imports = cuts * 2 // 5
    passed = 0
    for number in range(imports):
        kind = ["known", "first", "empty"][number % 3]
        site = new_site(number, kind)
        is_good, daemon = round_of(disk, site, f"cut {number + 1}, import, {kind}")
        passed += is_good
        daemon.stop()
        shutil.rmtree(site.state, ignore_errors=True)
        shutil.rmtree(site.folder)
    # The other cuts hit one site, and each of its daemons but the last ends by one.
    site, daemon = Site("churn"), None
    for number in range(imports, cuts):
        is_good, daemon = round_of(disk, site, f"cut {number + 1}, changes", daemon)
        passed += is_good
    if daemon:
        daemon.stop()
    preload = glob.glob("/usr/lib/*/libeatmydata.so")[0]
    unharmed = 0
    for number in range(controls):
        is_good, daemon = round_of(disk, Site(f"control-{number}"), f"control {number + 1} without fsync", preload=preload)
        unharmed += is_good
        daemon.stop()
    print(f"{passed} of {cuts} cuts lost nothing; {controls - unharmed} of {controls} controls without fsync lost something")
    if controls and 2 * unharmed >= controls:
        print("the controls show that this check cannot find a loss")
    return passed == cuts and (not controls or 2 * unharmed < controls)


if __name__ == "__main__":
    is_good = False
    try:
        is_good = main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    finally:
        print("PASS" if is_good else "FAIL", flush=True)
