//! The budgets of the desktop, measured in the real window of a release build. `cargo xtask bench --desktop` runs it and
//! prints the figures, each with its limit; they say nothing of a debug build.

use crate::{
    display::{Eye, Region},
    driver::Window,
    scenes::Scene,
    wait::eventually,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How many ticks of the processor's clock are a second (`sysconf(_SC_CLK_TCK)` on every Linux of today).
const TICKS: f64 = 100.0;
const PAGE_BYTES: f64 = 4096.0;

/// A figure, and what it may be at most, or at least.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    limit: Limit,
}

enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn to_json(&self) -> Value {
        let (limit, holds) = match self.limit {
            Limit::AtMost(limit) => (json!({ "at_most": limit }), self.value <= limit),
            Limit::AtLeast(limit) => (json!({ "at_least": limit }), self.value >= limit),
        };
        let value = (self.value * 10.0).round() / 10.0;
        json!({ "name": self.name, "value": value, "unit": self.unit, "limit": limit, "holds": holds })
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "figures of a release build; `cargo xtask bench --desktop` runs it"]
async fn budgets() {
    let app = std::env::var("IW_TEST_APP").expect("IW_TEST_APP names the app");
    let mut figures = Vec::new();
    let scene = Scene::open().await;
    for n in 0..60 {
        scene.world.order(&format!("B-{n}")).await;
    }
    scene.window.holds("document.querySelectorAll('.item').length === 60").await;
    let Scene { world, wire, window, ina } = scene;
    let (measured, data) = cold_start(window, &app).await;
    figures.extend(measured);
    let window = Window::open_with(&app, data).await;
    let scene = Scene { world, wire, window, ina };
    figures.push(keys(&scene).await);
    figures.push(pages(&scene).await);
    figures.push(live(&scene).await);
    figures.extend(deciding(&scene).await);
    figures.extend(rows(&scene).await);
    figures.push(wasm());
    for figure in figures {
        println!("DESKTOP {}", figure.to_json());
    }
}

/// The app as a person starts it: not driven, which alone takes `WebKit` two seconds.
struct Started(Child);

impl Started {
    fn start(app: &str, data: &Path) -> Self {
        let started = Command::new(app).env("XDG_DATA_HOME", data).stdin(Stdio::null()).spawn();
        Self(started.unwrap())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// From the program's start until the rows of the Inbox are on the display; and what the app uses when it stays
/// so.
async fn cold_start(window: Window, app: &str) -> (Vec<Figure>, TempDir) {
    const STARTS: usize = 5;
    let rows = "const rows = [...document.querySelectorAll('.item')].slice(1, 7).map(row => row.getBoundingClientRect()); \
        return { x: screenX + rows[0].x, y: screenY + rows[0].y, width: rows[0].width, height: rows[5].bottom - rows[0].y }";
    window.holds("document.querySelectorAll('.item').length >= 60").await;
    let rows = window.script(rows).await.unwrap();
    let pixels = |name: &str| rows[name].as_f64().unwrap().round().to_string();
    let eye = Eye::on(Region {
        x: pixels("x").parse().unwrap(),
        y: pixels("y").parse().unwrap(),
        width: pixels("width").parse().unwrap(),
        height: pixels("height").parse().unwrap(),
    });
    let whole = eye.look();
    assert!(whole.has_text(), "{whole:?} in {rows}");
    let data = window.close();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        eventually("the display is empty", || async {
            if eye.look().is_like(whole) { Err("the last window is there".to_owned()) } else { Ok(()) }
        })
        .await;
        let begun = Instant::now();
        let _started = Started::start(app, data.path());
        while !eye.look().is_like(whole) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}, not {whole:?}", eye.look());
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    eprintln!("cold start: {times:.0?} ms");
    let start = Figure {
        name: "cold start to Inbox from cache, median",
        value: times[STARTS / 2],
        unit: "ms",
        limit: Limit::AtMost(1000.0),
    };
    let _started = Started::start(app, data.path());
    eventually("the Inbox is there", || async {
        let look = eye.look();
        if look.is_like(whole) { Ok(()) } else { Err(format!("{look:?}")) }
    })
    .await;
    (vec![start, idle().await], data)
}

/// How a script in the page measures: it does something, and takes the time until the page shows it.
const TIMED: &str = "const done = arguments[arguments.length - 1]; const frame = () => new Promise(r => requestAnimationFrame(r)); \
    const press = key => dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })); \
    const until = async test => { while (!test()) await frame(); }; const times = []; \
    const timed = async (act, test) => { const t = performance.now(); act(); await until(test); times.push(performance.now() - t); };";

async fn times(scene: &Scene, script: &str) -> Vec<f64> {
    let script = format!("{TIMED} (async () => {{ {script} done(times); }})().catch(e => done([String(e)]))");
    let answer = scene.window.script_async(&script).await.unwrap();
    let mut times: Vec<f64> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_f64().unwrap_or_else(|| panic!("{answer}")))
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn p95(times: &[f64]) -> f64 {
    times[times.len() * 95 / 100]
}

async fn number(scene: &Scene, script: &str) -> f64 {
    scene.window.script(script).await.unwrap().as_f64().unwrap()
}

/// `j` through the Inbox, until the row is selected and its card is there.
async fn keys(scene: &Scene) -> Figure {
    scene.go("i").await;
    scene.window.holds("document.querySelectorAll('.item').length >= 60").await;
    let script = "const at = () => [document.querySelector('.item[aria-selected=true]')?.dataset.id, \
        document.querySelector('.card .question')?.innerText]; for (let n = 0; n < 59; n++) { const was = at(); \
        await timed(() => press('j'), () => at().every((now, n) => now && now !== was[n])); await frame(); }";
    let times = times(scene, script).await;
    Figure {
        name: "a key moves the selection, p95",
        value: p95(&times),
        unit: "ms",
        limit: Limit::AtMost(50.0),
    }
}

/// From page to page, each seen before.
async fn pages(scene: &Scene) -> Figure {
    let script = "const places = [['r', 'Runs'], ['w', 'Workflows'], ['o', 'Outbox'], [',', 'Settings'], ['i', 'Inbox']]; \
        for (let n = 0; n < 25; n++) { const [key, name] = places[n % 5]; \
        await timed(() => { press('g'); press(key); }, () => document.querySelector('h1')?.innerText === name); await frame(); }";
    let times = times(scene, script).await;
    Figure {
        name: "a key opens another page, p95",
        value: p95(&times),
        unit: "ms",
        limit: Limit::AtMost(50.0),
    }
}

/// From the moment in which a request was asked, by the server's clock, until its row is in the page.
async fn live(scene: &Scene) -> Figure {
    scene.go("i").await;
    let watch = "window.came = {}; new MutationObserver(() => document.querySelectorAll('.item').forEach(e => \
        window.came[e.dataset.id] ??= Date.now())).observe(document.body, { childList: true, subtree: true }); return true";
    scene.window.script(watch).await.unwrap();
    let mut waits = Vec::new();
    for n in 0..20 {
        let (approval, _) = scene.world.order(&format!("L-{n}")).await;
        scene.window.holds(&format!("!!window.came['{approval}']")).await;
        let came = number(scene, &format!("return window.came['{approval}']")).await;
        let asked = scene.world.read(&scene.ina, &format!("approvals/{approval}")).await;
        let asked = chrono_ms(asked["asked_at"].as_str().unwrap());
        waits.push(came - asked);
    }
    waits.sort_by(f64::total_cmp);
    Figure {
        name: "a live message to its row, p95",
        value: p95(&waits),
        unit: "ms",
        limit: Limit::AtMost(200.0),
    }
}

/// A time of the API in milliseconds since 1970.
fn chrono_ms(text: &str) -> f64 {
    let date = Command::new("date").args(["-u", "-d", text, "+%s.%N"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().parse::<f64>().unwrap() * 1000.0
}

/// Fifty approvals, one after the other, each as soon as its card takes a key.
async fn deciding(scene: &Scene) -> Vec<Figure> {
    scene.go("i").await;
    // WebKit takes 100 changes of the address in 30 s; what was measured before is none of this one's.
    tokio::time::sleep(Duration::from_secs(30)).await;
    scene.window.press("j").await;
    scene.window.holds("!!document.querySelector('.card .btn.primary:enabled')").await;
    let script = "const begun = performance.now(); for (let n = 0; n < 50; n++) { \
        await until(() => document.querySelector('.card .btn.primary:enabled')); \
        const since = performance.now(); await until(() => performance.now() - since > 320); \
        const was = document.querySelector('.question').innerText; \
        await timed(() => press('a'), () => { const q = document.querySelector('.question'); return q && q.innerText !== was; }); } \
        times.push(performance.now() - begun);";
    let mut times = times(scene, script).await;
    let all = times.pop().unwrap();
    vec![
        Figure {
            name: "`a` to the next card, p95",
            value: p95(&times),
            unit: "ms",
            limit: Limit::AtMost(50.0),
        },
        Figure {
            name: "50 approvals by keyboard",
            value: all / 1000.0,
            unit: "s",
            limit: Limit::AtMost(300.0),
        },
    ]
}

/// Ten thousand runs: read by scrolling down, then scrolled through.
async fn rows(scene: &Scene) -> Vec<Figure> {
    const ROWS: usize = 10_000;
    scene.world.many_small_orders(ROWS).await;
    scene.go("r").await;
    scene.window.holds("document.querySelectorAll('table.runs tbody tr').length > 10").await;
    let before = memory();
    let count = "Number(document.querySelector('table.runs')?.getAttribute('aria-rowcount') ?? 0)";
    eventually("every row is read", || async {
        let down = "const p = document.querySelector('main > .scroll'); p.scrollTop = p.scrollHeight; \
                    p.dispatchEvent(new Event('scroll')); return true";
        scene.window.script(down).await?;
        let rows = scene.window.script(&format!("return {count}")).await?;
        if rows.as_u64().is_some_and(|rows| rows >= ROWS as u64) { Ok(()) } else { Err(rows.to_string()) }
    })
    .await;
    let script = "const p = document.querySelector('main > .scroll'); p.scrollTop = 0; await frame(); \
        const begun = performance.now(); let frames = 0; \
        while (performance.now() - begun < 3000) { p.scrollTop += 160; await frame(); frames++; } \
        times.push(frames / (performance.now() - begun) * 1000);";
    let frames = times(scene, script).await[0];
    let growth = memory() - before;
    vec![
        Figure {
            name: "scrolling through 10,000 rows, 4 a frame",
            value: frames,
            unit: "fps",
            limit: Limit::AtLeast(55.0),
        },
        Figure { name: "memory for 10,000 rows", value: growth, unit: "MB", limit: Limit::AtMost(120.0) },
    ]
}

/// What the app and its pages use of a processor while nothing happens.
async fn idle() -> Figure {
    const SETTLING: Duration = Duration::from_secs(10);
    const WATCHED: Duration = Duration::from_secs(20);
    tokio::time::sleep(SETTLING).await;
    let used = || -> f64 {
        let each = own_processes().into_iter().map(|process| stat(&process));
        each.map(|stat| stat[11].parse::<f64>().unwrap() + stat[12].parse::<f64>().unwrap()).sum()
    };
    let before = used();
    tokio::time::sleep(WATCHED).await;
    for process in own_processes() {
        let (of, fields) = (fs::read_to_string(process.join("comm")).unwrap(), stat(&process));
        eprintln!("idle: {} has used {} + {} ticks", of.trim(), fields[11], fields[12]);
    }
    let share = (used() - before) / TICKS / WATCHED.as_secs_f64() * 100.0;
    Figure { name: "processor while idle", value: share, unit: "%", limit: Limit::AtMost(0.5) }
}

fn wasm() -> Figure {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/dist/ui_bg.wasm");
    let packed = Command::new("gzip").arg("-c").arg(file).output().unwrap().stdout.len();
    #[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
    let megabytes = packed as f64 / 1e6;
    Figure { name: "pages' program, compressed", value: megabytes, unit: "MB", limit: Limit::AtMost(1.5) }
}

/// Every process, with its name (15 characters at most).
fn processes() -> Vec<(PathBuf, String)> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    all.filter_map(|path| {
        let name = fs::read_to_string(path.join("comm")).ok()?;
        Some((path, name.trim().to_owned()))
    })
    .collect()
}

/// The app's own and its pages'.
fn own_processes() -> Vec<PathBuf> {
    let is_own = |name: &str| {
        name == "intelligent-wor"
            || name.starts_with("WebKitWebProces")
            || name.starts_with("WebKitNetworkPr")
    };
    processes().into_iter().filter(|(_, name)| is_own(name)).map(|(path, _)| path).collect()
}

/// The fields of a process's `stat` from the third on (proc(5)), which follow the name in brackets.
fn stat(process: &Path) -> Vec<String> {
    let text = fs::read_to_string(process.join("stat")).unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    fields.split(' ').map(str::to_owned).collect()
}

/// What the app and its pages have in memory, in MB.
fn memory() -> f64 {
    let pages = own_processes().into_iter().map(|process| stat(&process)[21].parse::<f64>().unwrap());
    pages.sum::<f64>() * PAGE_BYTES / 1e6
}
