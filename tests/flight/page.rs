//! The page as a browser shows it. `scripts/test.sh` installs headless Chromium.

use std::process::Command;

use rtt_tests::{Run, STAGES, Scratch, recipe, repository};
use serde_json::json;

use super::{FLIGHT, TRACE, flown};

/// The names under which Chromium is packaged.
const BROWSERS: [&str; 4] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

fn page(name: &str) -> Scratch {
    let scratch = flown(name);
    // A failed run with what wants to be markup and to deceive.
    let hostile = json!({"version": "1.0.0", "start": "2026-01-01T00:00:00.000Z", "duration_ms": 40, "stage": "20",
        "generator": "x 0.1.0", "exit_code": 1, "outcome": "<img src=x onerror=alert(1)>\u{202e}", "figures": {"</td><script>": "\"><b>"}});
    let log = scratch.read(".rtt/telemetry/flight.ndjson");
    scratch.write(".rtt/telemetry/flight.ndjson", format!("{hostile}\n{log}"));
    scratch.run(FLIGHT, &["--html", scratch.path("page.html").to_str().expect("UTF-8")]).expect_code(0);
    scratch
}

#[test]
fn the_page_is_one_file_that_needs_nothing() {
    let scratch = page("page");
    let text = scratch.read("page.html");
    let own = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").replace("url(#failed)", "");
    for foreign in
        ["http:", "https:", "//", "url(", "<script", "<link", "<iframe", "<img", "@import", "src=\"", "\u{202e}"]
    {
        assert!(!own.contains(foreign), "{foreign}");
    }
    for part in ["<html lang=\"en\">", "prefers-color-scheme: dark", "default-src 'none'", "&lt;img src=x"] {
        assert!(text.contains(part), "{part}");
    }
    // Pictures have words, tables have headers, headings have an order.
    let pictures = text.matches("<svg ").count();
    let described = text.matches("<svg role=\"img\" aria-label=\"").count()
        + text.matches("class=\"picture\" role=\"img\"").count();
    assert_eq!(described + text.matches("aria-hidden=\"true\"").count(), pictures);
    assert_eq!(text.matches("<table>").count(), text.matches("<thead>").count());
    assert_eq!(text.matches("<h1").count(), 1);

    let again = scratch.path("again.html");
    scratch.run(FLIGHT, &["--html", again.to_str().expect("UTF-8")]).expect_code(0);
    assert_eq!(scratch.read("again.html"), text, "equal records give equal bytes");
    let none = scratch.path("no/such/folder.html");
    scratch.run(FLIGHT, &["--html", none.to_str().expect("UTF-8")]).expect_code(73);
}

#[test]
fn a_browser_shows_it_in_light_and_dark() {
    let Some(browser) = BROWSERS.into_iter().find(|name| recipe::is_here(name)) else {
        return println!("skipped: not installed: {}", BROWSERS.join(", "));
    };
    if !recipe::is_here("python3") {
        return println!("skipped: python3 is not installed");
    }
    let scratch = page("browser");
    let run = |options: &[&str]| {
        let mut command = Command::new(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
        // Whatever is asked for from outside does not exist.
        command
            .arg("--host-resolver-rules=MAP * ~NOTFOUND")
            .arg(format!("--user-data-dir={}", scratch.path("profile").display()));
        Run::of(command.args(options).arg(format!("file://{}", scratch.path("page.html").display()))).expect_code(0)
    };
    let dom = run(&["--dump-dom"]).stdout;
    let body = dom.split_once("<body>").expect("it has one").1;
    for text in [
        "RTT flight report",
        "7 runs of stages",
        "Pipeline runs",
        "2PC success",
        "100.0 %",
        "Stage durations over time",
        "Timelines",
        "The newest plan",
        "a plan of 8 routes",
        "agent.storage.tsdb@1.2.0",
        "Routing plan",
        TRACE,
        "failed",
        "succeeded",
        "&lt;img src=x onerror=alert(1)&gt;\\u{202e}",
        "outcome=\"committed\"",
    ] {
        assert!(body.contains(text), "{text} in {body}");
    }
    for stage in STAGES {
        assert!(body.contains(&format!("Stage {}", &stage[4..6])), "{stage}");
    }
    assert!(!body.contains("<script") && !body.contains("<img") && !body.contains("<b>"), "{body}");

    // 0 is dark, 1 is light.
    let picture = |name: &str, scheme: &str| {
        let file = scratch.path(name);
        run(&[
            &format!("--screenshot={}", file.display()),
            "--window-size=1000,3000",
            &format!("--blink-settings=preferredColorScheme={scheme}"),
        ]);
        let mut command = Command::new("python3");
        let run = Run::of(command.arg("-B").arg(repository().join("tests/flight/pixels.py")).arg(&file)).expect_code(0);
        run.summary()
    };
    let (light, dark) = (picture("light.png", "1"), picture("dark.png", "0"));
    for (picture, page, ok, bad) in
        [(&light, "#fbfbfa", "#1f6f4a", "#b42318"), (&dark, "#14171a", "#4cc38a", "#ff8a7a")]
    {
        assert_eq!((&picture["width"], &picture["height"]), (&json!(1000), &json!(3000)));
        assert_eq!(picture["corner"], page);
        let share = |colour: &str| picture["permille"][colour].as_f64().unwrap_or_default();
        assert!(share(page) < 900.0, "not blank: {picture:#}");
        // Bars of runs that succeeded, the hatching of the failed one, the plan's boxes.
        assert!(share(ok) > 5.0 && share(bad) > 0.05 && share("#f4f6f8") > 5.0, "{picture:#}");
        assert!(picture["colours"].as_u64() > Some(50), "text is smooth: {picture:#}");
    }
}
