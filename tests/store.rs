//! `rtt-cas` on real workspaces: what is kept, found, moved and refused, and the pipeline from the store alone.

use std::process::{Command, Stdio};

use rtt_core::schema::Schema;
use rtt_core::workspace::state;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::Value;

const CAS: &str = "rtt-cas";
const OBJECTS: &str = ".rtt/registry/cas/sha256";
const INDEX: &str = ".rtt/registry/index.json";

/// The quickstart, bootstrapped.
fn quickstart(name: &str) -> Scratch {
    let scratch = Scratch::copy_of("quickstart", name);
    scratch.run_all(&STAGES[..1]);
    scratch
}

/// The manifests of a workspace.
fn manifests(scratch: &Scratch) -> Vec<String> {
    let trees = [scratch.tree("agents"), scratch.tree("providers")];
    let files = trees.iter().flat_map(|tree| tree.keys()).filter(|path| path.ends_with(".json"));
    files.map(|path| scratch.path(path).display().to_string()).collect()
}

fn ingest(scratch: &Scratch, files: &[String]) -> Run {
    let arguments: Vec<&str> = ["ingest"].into_iter().chain(files.iter().map(String::as_str)).collect();
    scratch.run(CAS, &arguments)
}

fn summary(scratch: &Scratch, arguments: &[&str]) -> Value {
    let run = scratch.run(CAS, &[arguments, &["--format", "json"]].concat());
    state::parse::<Value>("summary", run.stdout.as_bytes(), Schema::Summary).expect("as its schema says").value
}

/// What stage 40 made, after stages 10 to 40.
fn plan_id(scratch: &Scratch) -> Value {
    scratch.run_all(&STAGES[1..5]);
    scratch.json("plans/LATEST")["plan_id"].clone()
}

#[test]
fn the_pipeline_from_the_store_alone_makes_the_same_plan() {
    let plain = quickstart("plain");
    let expected = plan_id(&plain);

    let stored = quickstart("stored");
    ingest(&stored, &manifests(&stored)).expect_code(0).expect_stdout("8 new names");
    assert_eq!(plan_id(&stored), expected, "from both");
    let sources = stored.json(".rtt/cache/registry.json");
    let origins: Vec<&str> = sources["instances"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["origin"]["path"].as_str())
        .collect();
    assert!(origins.iter().all(|path| !path.starts_with(".rtt/")), "files in folders come first: {origins:?}");

    for folder in ["agents", "providers"] {
        std::fs::remove_dir_all(stored.path(folder)).expect("it is there");
    }
    stored.run(STAGES[1], &[]).expect_code(0).expect_stdout("8 symbols (8 instances) in 8 files");
    assert_eq!(plan_id(&stored), expected, "from the store alone");
    assert_eq!(stored.tree(".rtt/drivers"), plain.tree(".rtt/drivers"), "the same connectors");
    stored.run_all(&STAGES[5..]);
    let again = stored.run(STAGES[1], &[]).expect_code(0);
    again.expect_stdout("Nothing changed");
}

#[test]
fn stage_10_names_and_refuses_objects_that_are_not_what_the_index_says() {
    let scratch = quickstart("altered");
    ingest(&scratch, &manifests(&scratch)).expect_code(0);
    std::fs::remove_dir_all(scratch.path("agents")).expect("it is there");
    scratch.run_all(&STAGES[1..2]);
    let registry = scratch.read(".rtt/cache/registry.json");
    let index = scratch.json(INDEX);
    let hex = |digest: &Value| digest.as_str().expect("a digest").trim_start_matches("sha256:").to_owned();
    let canonical = &index["agents"]["agent.storage.tsdb@1.2.0"];
    let written = index["layouts"].get(canonical.as_str().expect("a digest")).unwrap_or(canonical);
    let file = scratch.tree(OBJECTS).into_keys().find(|path| path.contains(&hex(written))).expect("it is there");

    let content = scratch.read(&file);
    std::fs::remove_file(scratch.path(&file)).expect("it is there");
    scratch.run(STAGES[1], &[]).expect_code(65).expect_stderr("which is not in the store").expect_stderr(INDEX);
    scratch.write(&file, content.replace("tsdb", "TSDB"));
    scratch.run(STAGES[2], &[]).expect_code(66).expect_stderr("run rtt-10-scan");
    let refused = scratch.run(STAGES[1], &[]).expect_code(65);
    refused.expect_stderr("the object was altered").expect_stderr(&file);
    scratch.write(&file, &content);
    scratch.run(STAGES[1], &[]).expect_code(0);
    assert_eq!(scratch.read(".rtt/cache/registry.json"), registry);

    // An index that lies about whom an object declares, with everything else as it was.
    scratch.write(INDEX, scratch.read(INDEX).replace("agent.storage.tsdb@1.2.0", "agent.storage.tsdb@1.3.0"));
    let refused = scratch.run(STAGES[1], &[]).expect_code(65);
    refused.expect_stderr("the object does not declare 'agent.storage.tsdb@1.3.0'");
}

#[test]
fn an_agent_that_differs_from_its_file_is_a_collision_and_the_file_counts() {
    let scratch = quickstart("collision");
    ingest(&scratch, &manifests(&scratch)).expect_code(0);
    let file = "agents/api/metrics.agent.json";
    scratch.write(file, scratch.read(file).replace("Answers questions", "Answers other questions"));
    let run = scratch.run(STAGES[1], &[]).expect_code(0).expect_stderr("symbol collision: 'agent.api.metrics@1.4.0'");
    run.expect_stderr("agents/api/metrics.agent.json is registered");
    ingest(&scratch, &[scratch.path(file).display().to_string()]).expect_code(65).expect_stderr("stands for sha256:");
    let path = scratch.path(file).display().to_string();
    scratch.run(CAS, &["ingest", "--force", &path]).expect_code(0);
    let quiet = scratch.run(STAGES[1], &[]).expect_code(0);
    assert!(!quiet.stderr.contains("collision"), "{quiet:#?}");
}

#[test]
fn ingesting_is_idempotent_and_all_or_nothing() {
    let scratch = quickstart("ingest");
    let before = scratch.tree(".rtt/registry");
    scratch.write("bad.json", "{\"a\": 1,\n \"a\": 2}");
    scratch.write("bad.agent.json", "{\"symbol\": \"a.b\"}");
    let mut files = manifests(&scratch);
    files.extend(["bad.json", "bad.agent.json"].map(|file| scratch.path(file).display().to_string()));
    let refused = ingest(&scratch, &files).expect_code(65).expect_stderr("duplicate key 'a'");
    refused.expect_stderr("bad.json:2:4").expect_stderr("'version'").expect_stdout("Nothing was stored");
    assert!(scratch.tree(OBJECTS).is_empty());
    assert!(!scratch.path(INDEX).exists());

    ingest(&scratch, &manifests(&scratch)).expect_code(0);
    let after = scratch.tree(".rtt/registry");
    assert!(after.len() > before.len() + 8);
    state::parse::<Value>(INDEX, scratch.read(INDEX).as_bytes(), Schema::StoreIndex).expect("as its schema says");
    ingest(&scratch, &manifests(&scratch)).expect_code(0).expect_stdout("Nothing changed");
    assert_eq!(scratch.tree(".rtt/registry"), after);

    // The object of a document is the SHA-256 of its canonical form, whatever its layout.
    scratch.write("one.json", "{\"b\": [1.0],\n \"a\": \"\\u00e9\"}");
    scratch.write("other.json", "{\"a\":\"é\",\"b\":[1]}");
    for file in ["one.json", "other.json"] {
        ingest(&scratch, &[scratch.path(file).display().to_string()]).expect_code(0);
    }
    let digest = Run::of(Command::new("sha256sum").arg(scratch.path("other.json"))).expect_code(0);
    let get = scratch.run(CAS, &["get", &digest.stdout[..12]]).expect_code(0);
    assert_eq!(get.stdout, scratch.read("other.json"));
    scratch
        .run(CAS, &["ingest", "--name", "a.document@1.0.0", &scratch.path("one.json").display().to_string()])
        .expect_code(0);
    assert_eq!(scratch.run(CAS, &["get", "a.document@1.0.0"]).expect_code(0).stdout, get.stdout);
    scratch.run(CAS, &["get", "a.document@2.0.0"]).expect_code(66).expect_stderr("rtt-cas ls");
    scratch.run(CAS, &["get", "../../etc/passwd"]).expect_code(64);
}

#[test]
fn many_writers_at_once_lose_nothing() {
    const WRITERS: usize = 24;
    let scratch = quickstart("crowd");
    let common: Vec<String> = manifests(&scratch);
    let children: Vec<_> = (0..WRITERS)
        .map(|number| {
            let own = format!("own/{number}.agent.json");
            scratch.write(&own, format!("{{\"version\": \"1.0.{number}\", \"symbol\": \"crowd.agent\"}}"));
            let mut command = scratch.command(CAS);
            command.arg("ingest").args(&common).arg(scratch.path(&own)).stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().expect("it starts")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    scratch.run(CAS, &["verify"]).expect_code(0);
    let index = scratch.json(INDEX);
    assert_eq!(index["agents"].as_object().expect("a map").len(), 8 + WRITERS);
    let left = scratch.tree(".rtt/registry/cas");
    assert!(left.keys().all(|path| path.starts_with(OBJECTS)), "nothing unfinished: {:?}", left.keys());
}

#[test]
fn verify_finds_every_altered_object() {
    let scratch = quickstart("verify");
    ingest(&scratch, &manifests(&scratch)).expect_code(0);
    let objects: Vec<String> = scratch.tree(OBJECTS).into_keys().collect();
    for (number, file) in objects.iter().enumerate() {
        let content = scratch.read(file);
        std::fs::remove_file(scratch.path(file)).expect("it is there");
        match number % 4 {
            0 => scratch.write(file, content.replace('a', "b")),
            1 => scratch.write(file, &content[..content.len() - 1]),
            2 => scratch.write(file, format!("{content} ")),
            _ => std::os::unix::fs::symlink(scratch.path(INDEX), scratch.path(file)).expect("writable"),
        }
    }
    scratch.write(&format!("{OBJECTS}/notes.txt"), "not an object");
    let run = summary(&scratch, &["verify"]);
    assert_eq!(run["exit_code"], 1);
    assert_eq!(run["figures"]["altered"], objects.len());
    let named = |rule: &str| -> Vec<&str> {
        let findings = run["diagnostics"].as_array().expect("a list").iter().filter(|one| one["rule"] == rule);
        findings.filter_map(|one| one["place"]["file"].as_str()).collect()
    };
    assert_eq!(named("RTT-O001"), objects);
    assert_eq!(named("RTT-O005"), [format!("{OBJECTS}/notes.txt")]);
    scratch.run(CAS, &["pack", "/dev/null"]).expect_code(65);

    for file in objects.iter().filter(|file| scratch.path(file).is_symlink()) {
        std::fs::remove_file(scratch.path(file)).expect("it is there");
    }
    ingest(&scratch, &manifests(&scratch)).expect_code(0).expect_stdout("repaired");
    scratch.run(CAS, &["verify"]).expect_code(0);
    let lost = objects.last().expect("there are some");
    std::fs::remove_file(scratch.path(lost)).expect("it is there");
    scratch.run(CAS, &["verify"]).expect_code(1).expect_stderr("which is not there");
}

#[test]
fn gc_keeps_what_the_index_plans_and_the_log_refer_to() {
    let scratch = quickstart("gc");
    ingest(&scratch, &manifests(&scratch)).expect_code(0);
    scratch.run_all(&STAGES[1..]);
    let store = |text: &str| {
        scratch.write("object.txt", text);
        ingest(&scratch, &[scratch.path("object.txt").display().to_string()]).expect_code(0);
        let sum = Run::of(Command::new("sha256sum").arg(scratch.path("object.txt"))).expect_code(0).stdout;
        sum[..64].to_owned()
    };
    let in_plan = store("named by a plan");
    let in_log = store("named by the log");
    let inner = store("named by an object");
    let outer = store(&format!("names {inner}"));
    let garbage = store("named by nobody");
    scratch.write("plans/0000000000000000.plan.json", format!("{{\"policy\": \"sha256:{in_plan}\""));
    scratch.write(".rtt/wal/objects/note", format!("{in_log} {outer}"));
    let named = scratch.tree(OBJECTS).len() - 5;

    scratch.run(CAS, &["gc", "--dry-run"]).expect_code(0).expect_stdout("Would remove 1 object");
    scratch.run(CAS, &["gc"]).expect_code(0).expect_stdout(&garbage);
    assert_eq!(scratch.tree(OBJECTS).len(), named + 4);
    for kept in [&in_plan, &in_log, &inner, &outer] {
        scratch.run(CAS, &["get", kept]).expect_code(0);
    }
    scratch.run(CAS, &["get", &garbage]).expect_code(66);
    scratch.run(CAS, &["forget", "agent.api.auth@2.1.3"]).expect_code(0);
    scratch.run(CAS, &["gc"]).expect_code(0);
    scratch.run(CAS, &["verify"]).expect_code(0);
    assert!(scratch.tree(OBJECTS).len() < named + 4);
    scratch.run(CAS, &["forget", "agent.api.auth@2.1.3"]).expect_code(66);
}

#[test]
fn an_archive_is_deterministic_and_moves_the_store() {
    let one = quickstart("one");
    ingest(&one, &manifests(&one)).expect_code(0);
    one.write("blob.bin", [0_u8, 159, 146, 150]);
    ingest(&one, &[one.path("blob.bin").display().to_string()]).expect_code(0);
    let other = quickstart("other");
    let mut files = manifests(&other);
    files.push(one.path("blob.bin").display().to_string());
    files.reverse();
    for file in files {
        let mut command = Command::new("bash");
        command.args(["-c", "umask 077; exec \"$@\"", "bash"]).arg(rtt_tests::executable(CAS));
        Run::of(command.arg("--root").arg(other.root()).args(["ingest", &file])).expect_code(0);
    }
    let archive = |scratch: &Scratch| {
        let path = scratch.path("store.tar");
        scratch.run(CAS, &["pack", &path.display().to_string()]).expect_code(0);
        std::fs::read(path).expect("just written")
    };
    let packed = archive(&one);
    assert!(packed == archive(&other), "the same objects, the same bytes");
    let stdout = one.command(CAS).args(["pack", "-"]).output().expect("it runs").stdout;
    assert!(packed == stdout);

    // Any tar reads it.
    let listed = Run::of(Command::new("tar").arg("-tf").arg(one.path("store.tar"))).expect_code(0).stdout;
    assert_eq!(listed.lines().next(), Some("index.json"));
    assert_eq!(listed.lines().count(), one.tree(OBJECTS).len() + 1);
    let index = Run::of(Command::new("tar").arg("-xOf").arg(one.path("store.tar")).arg("index.json")).expect_code(0);
    state::parse::<Value>("index.json", index.stdout.as_bytes(), Schema::Archive).expect("as its schema says");

    let fresh = Scratch::empty("fresh");
    fresh.run_all(&STAGES[..1]);
    let file = one.path("store.tar").display().to_string();
    fresh.run(CAS, &["unpack", &file]).expect_code(0).expect_stdout("8 new names");
    assert_eq!(fresh.tree(OBJECTS), one.tree(OBJECTS));
    assert_eq!(fresh.read(INDEX), one.read(INDEX));
    fresh.run(CAS, &["unpack", &file]).expect_code(0).expect_stdout("0 new, 0 repaired, 0 new names");

    let part = one.path("part.tar").display().to_string();
    one.run(CAS, &["pack", &part, "agent.api.auth@2.1.3"]).expect_code(0).expect_stdout("1 name");
    let small = Scratch::empty("small");
    small.run_all(&STAGES[..1]);
    small.run(CAS, &["unpack", &part]).expect_code(0);
    small.run(STAGES[1], &[]).expect_code(0).expect_stdout("1 symbol (1 instance)");
    small.write("auth.agent.json", "{\"symbol\": \"agent.api.auth\", \"version\": \"2.1.3\"}");
    let auth = small.path("auth.agent.json").display().to_string();
    small.run(CAS, &["ingest", "--force", &auth]).expect_code(0);
    small.run(CAS, &["unpack", &part]).expect_code(65).expect_stderr("agent.api.auth@2.1.3 stands for");
    small.run(CAS, &["unpack", "--force", &part]).expect_code(0).expect_stdout("1 new name");
}

/// Rewrites a good archive into bad ones. The names say what is expected to be said of them.
const HOSTILE: &str = r#"
import io, json, sys, tarfile
good, folder = sys.argv[1:]
entries = [(m, tarfile.open(good).extractfile(m).read()) for m in tarfile.open(good).getmembers()]
def write(name, entries, tail=b""):
    with tarfile.open(f"{folder}/{name}.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for member, content in entries:
            if content is not None: member.size = len(content)
            archive.addfile(member, io.BytesIO(content or b""))
    if tail: open(f"{folder}/{name}.tar", "ab").write(tail)
def entry(name, kind=tarfile.REGTYPE, content=b"", **more):
    member = tarfile.TarInfo(name); member.type = kind
    for key, value in more.items(): setattr(member, key, value)
    return member, content if kind == tarfile.REGTYPE else None
def indexed(change):
    index = json.loads(entries[0][1]); change(index)
    return [entry("index.json", content=json.dumps(index).encode())] + entries[1:]
first = entries[1][0].name
write("leads out of the archive", entries[:1] + [entry("../../" + first, content=entries[1][1])] + entries[2:])
write("leads out of the archive ", entries[:1] + [entry("/etc/" + first, content=entries[1][1])] + entries[2:])
for what, kind in [("a hard link", tarfile.LNKTYPE), ("a symbolic link", tarfile.SYMTYPE), ("a device", tarfile.CHRTYPE),
                   ("a device ", tarfile.BLKTYPE), ("a named pipe", tarfile.FIFOTYPE), ("a folder", tarfile.DIRTYPE)]:
    write(what, entries[:1] + [entry(first, kind, linkname="/etc/passwd")] + entries[1:])
write("a folder ", [entry("sha256", tarfile.DIRTYPE)] + entries)
with tarfile.open(f"{folder}/an extended header.tar", "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as archive:
    for member, content in entries: archive.addfile(member, io.BytesIO(content))
write("was altered", [*entries[:2], (entries[2][0], entries[2][1].replace(b"a", b"b")), *entries[3:]])
write("is not in the archive's index", entries + [entry("sha256/more.json", content=b"{}")])
write("where the index lists", [entries[0], entries[2], entries[1], *entries[3:]])
write("where the index lists ", entries[:1] + entries[2:])
write("the archive ends before", entries[:-1])
write("expected index.json first", entries[1:])
write("something behind the end", entries, tail=b"x" * 512)
write("which is no object's path", indexed(lambda i: i["objects"][0].update(path="../x")))
write("twice or out of order", indexed(lambda i: i["objects"].insert(0, i["objects"][0])))
write("where the index says", indexed(lambda i: i["objects"][0].update(size=1)))
write("more than the", indexed(lambda i: i["objects"][0].update(size=1 << 40)))
write("more than the  ", indexed(lambda i: [o.update(size=1 << 30) for o in i["objects"]] and i["objects"].extend(
    {"path": f"sha256/{'f' * 60}{n:04x}.json", "size": 1 << 30} for n in range(32))))
write("which is not in the archive", indexed(lambda i: i["agents"].update({"a.b@1.0.0": "sha256:" + "0" * 64})))
write("stands in both lists", indexed(lambda i: i["documents"].update(i["agents"])))
write("invalid key", indexed(lambda i: i["agents"].update({"no name": "sha256:" + "0" * 64})))
def relabel(index):
    one, other = list(index["layouts"].items())[:2]
    index["layouts"][one[0]] = other[1]
write("is not the document", indexed(relabel))
bytes_ = open(good, "rb").read()
open(f"{folder}/ends too early.tar", "wb").write(bytes_[:len(bytes_) // 2])
open(f"{folder}/ends too early .tar", "wb").write(b"")
open(f"{folder}/its checksum is wrong.tar", "wb").write(b"x" + bytes_[1:])
open(f"{folder}/unreadable size.tar", "wb").write((lambda h: h[:148] + b"%06o\0 " % (sum(h[:148]) + 256 + sum(h[156:512])) + h[156:])(
    bytes_[:124] + b"\x80" + b"\xff" * 11 + bytes_[136:]))
# A header that declares far more than there is must not make room for it.
open(f"{folder}/ends too early  .tar", "wb").write((lambda h: h[:148] + b"%06o\0 " % (sum(h[:148]) + 256 + sum(h[156:512])) + h[156:512])(
    bytes_[:124] + b"00777777777\0" + bytes_[136:]))
"#;

#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let good = quickstart("good");
    ingest(&good, &manifests(&good)).expect_code(0);
    good.run(CAS, &["pack", &good.path("good.tar").display().to_string()]).expect_code(0);
    good.write("hostile.py", HOSTILE);
    let folder = good.path("hostile");
    std::fs::create_dir(&folder).expect("writable");
    let arguments = [good.path("hostile.py"), good.path("good.tar"), folder.clone()];
    Run::of(Command::new("python3").args(arguments)).expect_code(0);

    let victim = Scratch::empty("victim");
    victim.run_all(&STAGES[..1]);
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let expected = path.file_stem().expect("has one").to_string_lossy().trim().to_owned();
        let run = victim.run(CAS, &["unpack", &path.display().to_string()]);
        assert_eq!(run.code, Some(65), "{expected}: {run:#?}");
        run.expect_stderr(expected.split(" size").next().expect("a text"));
        let left: Vec<String> = victim.tree(".rtt/registry/cas").into_keys().collect();
        assert!(left.is_empty() && !victim.path(INDEX).exists(), "{expected} left {left:?}");
        tried += 1;
    }
    assert_eq!(tried, 31);
    let small = victim.run(CAS, &["unpack", "--max-bytes", "1000", &good.path("good.tar").display().to_string()]);
    small.expect_code(65).expect_stderr("--max-bytes");
    victim.run(CAS, &["unpack", &good.path("good.tar").display().to_string()]).expect_code(0);
    victim.run(CAS, &["verify"]).expect_code(0);
}
