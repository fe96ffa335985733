//! Stage 00: the `.rtt/` tree, a signing key pair, starter files. Idempotent: it creates what is missing and changes
//! nothing that is there.

use std::os::unix::fs::PermissionsExt as _;

use super::{Context, Error, Report, Verdict};
use crate::diagnostic::{Diagnostic, Place};
use crate::trust::{self, PrivateKey, PublicKey, SIGNING_KEY_VARIABLE};
use crate::workspace::durable::{self, Mode};
use crate::workspace::{self, Workspace, layout};

/// Stage 00 has no options of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request;

/// Keeps secrets, sockets and everything that can be made again out of commits.
const GITIGNORE: &str = "\
# Private keys never leave the machine that made them.
*.priv
# Made again by the stages, or state of this machine.
/cache/
/drivers/
/sockets/
/telemetry/
/wal/
/apply.lock
/apply.lock.json
/registry/mcp-pins.lock
/registry/store.lock
/registry/trust/trust.lock
.rtt-tmp-*
";

const ROUTES: &str = r#"{
  "version": "1.0.0",
  "auto": true,
  "generation": 0,
  "routes": []
}
"#;

const POLICY: &str = r#"{
  "version": "1.0.0",
  "acl": {"default": "allow", "rules": []},
  "qos": [],
  "pins": [],
  "failover": []
}
"#;

/// Creates what a workspace needs and does not have.
///
/// # Errors
/// [`Error::Workspace`] if something cannot be created; [`Error::Invalid`] if a key file holds something else.
pub fn run(workspace: &Workspace, _request: &Request, _context: &Context) -> Result<Report, Error> {
    let mut created = Vec::new();
    for folder in layout::FOLDERS {
        if !workspace.path(folder).is_dir() {
            create_folder(workspace, folder)?;
            created.push(format!("{folder}/"));
        }
    }
    for (file, content) in [(layout::GITIGNORE, GITIGNORE), (layout::ROUTES, ROUTES), (layout::POLICY, POLICY)] {
        if create_file(workspace, file, content, Mode::Public)? {
            created.push(file.to_owned());
        }
    }
    let mut diagnostics = Vec::new();
    let key = key_pair(workspace, &mut created, &mut diagnostics)?;

    let verdict = if created.is_empty() { Verdict::Unchanged } else { Verdict::Success };
    let mut report = Report::new(verdict, format!("Bootstrap complete: {}", workspace.root().display()));
    if created.is_empty() {
        report.details.push("  Nothing changed: everything was there already".to_owned());
    }
    if !created.is_empty() {
        log::info!("Created {} files and folders", created.len());
    }
    report.details.extend(created.iter().map(|path| format!("  created {path}")));
    report.details.push(format!("  plans are signed by key {}", key.key_id()));
    report.diagnostics = diagnostics;
    report = report.figure("created", created.len()).figure("key", key.key_id().as_str());
    report.outputs = created;
    Ok(report)
}

/// Makes the key pair, or the public half of an existing private key. An existing file is never overwritten.
fn key_pair(
    workspace: &Workspace,
    created: &mut Vec<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<PublicKey, Error> {
    let read_public = |path: &str| -> Result<Option<PublicKey>, Error> {
        let Some(bytes) = workspace.read_optional(path)? else { return Ok(None) };
        let invalid = |reason| trust::Error::Key { origin: path.to_owned(), reason };
        Ok(Some(PublicKey::from_pem(&String::from_utf8_lossy(&bytes)).map_err(invalid)?))
    };
    let given = trust::signing_key(workspace, None)?;
    let public = read_public(layout::PUBLIC_KEY)?;
    let key = match (given, public) {
        // A checkout that verifies holds public keys only: making a private key here would add a signer nobody asked for.
        (None, Some(public)) => {
            let note = "there is a public key and no private key: plans can be applied here, but not signed";
            diagnostics.push(
                Diagnostic::info("RTT-K002", note)
                    .at(Place::file(layout::PUBLIC_KEY))
                    .help(format!("to sign, set ${SIGNING_KEY_VARIABLE} or give rtt-40-solver a --key")),
            );
            return Ok(public);
        }
        (None, None) => {
            let key = PrivateKey::generate()
                .map_err(|error| Error::Internal(format!("the operating system gives no random numbers: {error}")))?;
            // Private key first: a kill in between leaves a pair that the next run completes.
            create_file(workspace, layout::PRIVATE_KEY, &key.to_pem(), Mode::Private)?;
            created.push(layout::PRIVATE_KEY.to_owned());
            key
        }
        (Some(key), _) => key,
    };
    warn_if_exposed(workspace, diagnostics);
    match read_public(layout::PUBLIC_KEY)? {
        None => {
            create_file(workspace, layout::PUBLIC_KEY, &key.public().to_pem(), Mode::Public)?;
            created.push(layout::PUBLIC_KEY.to_owned());
        }
        Some(public) if public.key_id() != key.public().key_id() => diagnostics.push(
            Diagnostic::warning(
                "RTT-K003",
                format!(
                    "the signing key is {}, but the public key here is another signer's, {}",
                    key.public().key_id(),
                    public.key_id()
                ),
            )
            .at(Place::file(layout::PUBLIC_KEY))
            .help(format!(
                "put the signing key's public half beside it, as {}/<name>.pub, or its plans will be refused",
                layout::KEYS
            )),
        ),
        Some(_) => {}
    }
    Ok(key.public())
}

/// A key that others can read is not a secret.
fn warn_if_exposed(workspace: &Workspace, diagnostics: &mut Vec<Diagnostic>) {
    let Ok(metadata) = std::fs::metadata(workspace.path(layout::PRIVATE_KEY)) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        diagnostics.push(
            Diagnostic::warning("RTT-K004", format!("the private key can be read by others (mode {mode:04o})"))
                .at(Place::file(layout::PRIVATE_KEY))
                .help(format!("chmod 600 {}", layout::PRIVATE_KEY)),
        );
    }
}

fn create_folder(workspace: &Workspace, folder: &str) -> Result<(), workspace::Error> {
    let path = workspace.path(folder);
    durable::create_dir_all(&path).map_err(|source| workspace::Error::create(&path, source))
}

fn create_file(workspace: &Workspace, file: &str, content: &str, mode: Mode) -> Result<bool, workspace::Error> {
    let path = workspace.path(file);
    durable::create_new(&path, content.as_bytes(), mode).map_err(|source| workspace::Error::create(&path, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::NoProgress;

    fn bootstrap(workspace: &Workspace) -> Report {
        run(workspace, &Request, &Context { force: false, progress: &NoProgress }).expect("a writable folder")
    }

    #[test]
    fn creates_what_is_missing_and_never_overwrites() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        assert_eq!(bootstrap(&workspace).verdict, Verdict::Success);
        let key = workspace.read_optional(layout::PRIVATE_KEY).expect("readable");
        let mode = std::fs::metadata(workspace.path(layout::PRIVATE_KEY)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(layout::FOLDERS.iter().all(|folder| workspace.path(folder).is_dir()));

        workspace.write(layout::POLICY, b"mine").expect("writable");
        assert_eq!(bootstrap(&workspace).verdict, Verdict::Unchanged);
        assert_eq!(workspace.read_optional(layout::POLICY).expect("readable"), Some(b"mine".to_vec()));

        durable::remove_file(&workspace.path(layout::PUBLIC_KEY)).expect("removable");
        assert_eq!(bootstrap(&workspace).outputs, [layout::PUBLIC_KEY]);
        assert_eq!(workspace.read_optional(layout::PRIVATE_KEY).expect("readable"), key);
    }

    #[test]
    fn a_checkout_with_public_keys_only_gets_no_private_key() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        bootstrap(&workspace);
        durable::remove_file(&workspace.path(layout::PRIVATE_KEY)).expect("removable");
        let report = bootstrap(&workspace);
        assert!(!workspace.path(layout::PRIVATE_KEY).exists());
        assert_eq!(report.diagnostics[0].rule, "RTT-K002");
    }

    #[test]
    fn starter_files_fit_their_schemas() {
        for (schema, text) in [(crate::schema::Schema::Routes, ROUTES), (crate::schema::Schema::Policy, POLICY)] {
            let value = crate::json::parse(text.as_bytes()).expect("valid JSON");
            assert_eq!(schema.check("RTT-S002", "starter", text, &value), []);
        }
    }
}
