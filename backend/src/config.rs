//! Settings: environment variables, or lines of a TOML file that `IW_CONFIG` names.

use crate::{
    auth::{proxies::TrustedProxies, seal::SecretKey},
    effects::Allowed,
};
use shared_types::machine::Limits;
use std::{
    collections::BTreeMap,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

/// A setting.
pub struct Setting {
    /// The environment variable; in the file the same in small letters without `IW_`.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// What stands where nothing is set.
    pub default: &'static str,
    /// Whether its value is never shown.
    pub is_secret: bool,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, help, default, is_secret: false }
}

const fn secret(name: &'static str, help: &'static str) -> Setting {
    Setting { name, help, default: "", is_secret: true }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("IW_CONFIG", "", "A TOML file with settings; the environment comes before it."),
    setting("IW_LISTEN", "127.0.0.1:7400", "Where the server listens."),
    setting("IW_PUBLIC_URL", "", "What links in mail point to; the address it listens on without it."),
    setting(
        "IW_TRUSTED_PROXIES",
        "",
        "Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.",
    ),
    setting("IW_DATA_DIR", "", "The folder for the private PostgreSQL and generated keys."),
    secret("IW_DATABASE_URL", "A PostgreSQL to use; a private one in the data folder without it."),
    setting(
        "IW_DATABASE_CONNECTIONS",
        "16",
        "How many connections to the database at most, besides three that write; at least 5.",
    ),
    secret("IW_SECRET_KEY", "Signs tokens and seals secrets; needed with IW_DATABASE_URL, else generated."),
    setting("IW_SECRET_KEY_FILE", "", "A file that holds IW_SECRET_KEY."),
    setting("IW_ADMIN_EMAIL", "admin@localhost", "The first administrator."),
    secret("IW_ADMIN_PASSWORD", "The first administrator's password; generated and printed once without it."),
    setting(
        "IW_OUTBOUND_ALLOW",
        "",
        "Private hosts with ports that workflows may call, separated by commas.",
    ),
    secret(
        "IW_METRICS_TOKEN",
        "Lets whoever sends it as bearer token read /metrics from elsewhere; only this machine may without it.",
    ),
    secret("IW_SMTP_URL", "A mail server, such as smtps://user:password@host; mail is kept without it."),
    setting("IW_MAIL_FROM", "workflows@localhost", "Whom mail comes from."),
    setting("IW_MAX_STEPS", "100000", "The most steps that a run may enter."),
    setting(
        "IW_MAX_CONTEXT",
        "8388608",
        "The most bytes, about, that a run's steps may put into its context.",
    ),
    setting("IW_LOG", "info,sqlx=warn", "What is logged, as tracing's filter has it."),
    setting("IW_LOG_FORMAT", "text", "text or json."),
];

/// The settings of a server, checked.
#[derive(Clone)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What links in mail point to.
    pub public_url: String,
    /// The proxies that say where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// Its folder.
    pub data_dir: PathBuf,
    /// Its database.
    pub database: Database,
    /// How many connections at most.
    pub connections: u32,
    /// Its key.
    pub key: SecretKey,
    /// The first administrator's address.
    pub admin_email: String,
    /// The first administrator's password.
    pub admin_password: Option<String>,
    /// Private hosts that workflows may call.
    pub outbound_allow: Allowed,
    /// What lets others than this machine read the metrics.
    pub metrics_token: Option<String>,
    /// Its mail server.
    pub smtp_url: Option<String>,
    /// Whom mail comes from.
    pub mail_from: String,
    /// How far a run may go.
    pub limits: Limits,
}

/// Where the data lies.
#[derive(Clone)]
pub enum Database {
    /// In a private PostgreSQL of this server's own.
    Private,
    /// In one that an administrator named.
    Named(String),
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// One is wrong.
    #[error("{name}: {why}")]
    Bad {
        /// The name of the setting.
        name: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The file has a line that means nothing.
    #[error("{file}: there is no setting `{key}`; `iw-server config` lists them")]
    Unknown {
        /// The file.
        file: String,
        /// The line's key.
        key: String,
    },
    /// A file can't be read or written.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The reason, in a sentence.
        why: String,
    },
}

/// Where settings come from.
pub struct Sources {
    file: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the file that `IW_CONFIG` names, if it names one.
    pub fn read() -> Result<Self, ConfigError> {
        let Some(path) =
            env::var_os("IW_CONFIG").map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
        else {
            return Ok(Self { file: BTreeMap::new() });
        };
        let failed = |why: String| ConfigError::File { path: path.clone(), why };
        let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| failed(error.message().to_owned()))?;
        let mut file = BTreeMap::new();
        for (key, value) in table {
            let name = format!("IW_{}", key.to_uppercase());
            if !SETTINGS.iter().any(|setting| setting.name == name) {
                return Err(ConfigError::Unknown { file: path.display().to_string(), key });
            }
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(_)
                | toml::Value::Float(_)
                | toml::Value::Boolean(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => value.to_string(),
            };
            file.insert(name, text);
        }
        Ok(Self { file })
    }

    /// A setting's value and where it comes from.
    pub fn get(&self, name: &'static str) -> (String, &'static str) {
        if let Some(value) = env::var(name).ok().filter(|value| !value.is_empty()) {
            return (value, "environment");
        }
        if let Some(value) = self.file.get(name) {
            return (value.clone(), "file");
        }
        let default =
            SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.default);
        (default.to_owned(), "default")
    }

    fn value(&self, name: &'static str) -> String {
        self.get(name).0
    }

    fn some(&self, name: &'static str) -> Option<String> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    fn parse<T: FromStr<Err: std::fmt::Display>>(&self, name: &'static str) -> Result<T, ConfigError> {
        let value = self.value(name);
        value
            .parse()
            .map_err(|error| ConfigError::Bad { name, why: format!("\"{value}\" can't be used: {error}") })
    }
}

impl Config {
    /// Reads and checks the settings; makes the data folder and, where it may, a key.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let listen: SocketAddr = sources.parse("IW_LISTEN")?;
        let data_dir =
            sources.some("IW_DATA_DIR").map_or_else(default_data_dir, |dir| Ok(PathBuf::from(dir)))?;
        let data_dir = std::path::absolute(&data_dir)
            .map_err(|error| ConfigError::File { path: data_dir.clone(), why: error.to_string() })?;
        let database = sources.some("IW_DATABASE_URL").map_or(Database::Private, Database::Named);
        let key = secret_key(sources, &database, listen, &data_dir)?;
        Ok(Self {
            listen,
            public_url: sources.some("IW_PUBLIC_URL").unwrap_or_else(|| format!("http://{listen}")),
            trusted_proxies: sources.parse("IW_TRUSTED_PROXIES")?,
            data_dir,
            database,
            connections: connections(sources)?,
            key,
            admin_email: sources.value("IW_ADMIN_EMAIL"),
            admin_password: sources.some("IW_ADMIN_PASSWORD"),
            outbound_allow: sources.parse("IW_OUTBOUND_ALLOW")?,
            metrics_token: sources.some("IW_METRICS_TOKEN"),
            smtp_url: sources.some("IW_SMTP_URL"),
            mail_from: sources.value("IW_MAIL_FROM"),
            limits: Limits { steps: sources.parse("IW_MAX_STEPS")?, bytes: sources.parse("IW_MAX_CONTEXT")? },
        })
    }
}

/// The fewest connections with which everything goes on: two listen for as long as the server runs, and a request, the
/// loops and the heartbeat each take one.
pub const FEWEST_CONNECTIONS: u32 = 5;

fn connections(sources: &Sources) -> Result<u32, ConfigError> {
    let name = "IW_DATABASE_CONNECTIONS";
    let connections = sources.parse(name)?;
    if connections < FEWEST_CONNECTIONS {
        let why = format!("{connections} are too few; {FEWEST_CONNECTIONS} or more are needed");
        return Err(ConfigError::Bad { name, why });
    }
    Ok(connections)
}

fn secret_key(
    sources: &Sources,
    database: &Database,
    listen: SocketAddr,
    data_dir: &Path,
) -> Result<SecretKey, ConfigError> {
    if let Some(text) = sources.some("IW_SECRET_KEY") {
        return long_enough("IW_SECRET_KEY", &text);
    }
    if let Some(file) = sources.some("IW_SECRET_KEY_FILE") {
        let text = fs::read_to_string(&file)
            .map_err(|error| ConfigError::File { path: PathBuf::from(&file), why: error.to_string() })?;
        return long_enough("IW_SECRET_KEY_FILE", &text);
    }
    if matches!(database, Database::Named(_)) {
        let why =
            "it must be given with IW_DATABASE_URL, so that every server signs and seals alike".to_owned();
        return Err(ConfigError::Bad { name: "IW_SECRET_KEY", why });
    }
    if !listen.ip().is_loopback() {
        let why = format!("it must be given to listen on {listen}, which others can reach");
        return Err(ConfigError::Bad { name: "IW_SECRET_KEY", why });
    }
    generated_key(data_dir)
}

fn long_enough(name: &'static str, text: &str) -> Result<SecretKey, ConfigError> {
    if text.trim().len() < 32 {
        let why = "it needs 32 characters at least; `openssl rand -base64 32` makes a good one".to_owned();
        return Err(ConfigError::Bad { name, why });
    }
    Ok(SecretKey::of_text(text))
}

/// The key in the data folder, made with the first start.
fn generated_key(data_dir: &Path) -> Result<SecretKey, ConfigError> {
    let path = data_dir.join("secret.key");
    let failed = |error: std::io::Error| ConfigError::File { path: path.clone(), why: error.to_string() };
    if let Ok(text) = fs::read_to_string(&path) {
        return Ok(SecretKey::of_text(&text));
    }
    fs::create_dir_all(data_dir).map_err(failed)?;
    let text = SecretKey::fresh_text();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    Ok(SecretKey::of_text(&text))
}

/// As root below `/var/lib`, which PostgreSQL's own user can reach; else the user's data folder.
fn default_data_dir() -> Result<PathBuf, ConfigError> {
    const NAME: &str = "intelligent-workflows";
    let home = env::var_os("HOME").map(PathBuf::from);
    if home.as_deref() == Some(Path::new("/root")) {
        return Ok(Path::new("/var/lib").join(NAME));
    }
    let data = env::var_os("XDG_DATA_HOME").or_else(|| env::var_os("LOCALAPPDATA")).map(PathBuf::from);
    let data = data.or_else(|| home.map(|home| home.join(".local/share")));
    data.map(|data| data.join(NAME)).ok_or_else(|| ConfigError::Bad {
        name: "IW_DATA_DIR",
        why: "it must be given, since there is no home folder".to_owned(),
    })
}
