//! Filters of texts.

use super::{Known, count_argument, is_set, text_argument};
use crate::workflow::template::{
    address,
    budget::Fail,
    data::Data,
    evaluation::{Arguments, Evaluated, Evaluation},
    parameters::{NOTHING, any, takes},
};

pub(super) const FILTERS: [Known; 22] = [
    ("capitalize", NOTHING, capitalize),
    ("e", NOTHING, escape),
    ("escape", NOTHING, escape),
    ("format", any(0), super::numbers::format),
    ("indent", takes(0, &["width", "first", "blank"]), indent),
    ("lines", NOTHING, lines),
    ("lower", NOTHING, |this, value, _| changed(this, &value, str::to_lowercase)),
    ("pprint", takes(0, &["indent"]), super::maps::tojson),
    ("replace", takes(2, &["old", "new", "count"]), replace),
    ("safe", NOTHING, |_, value, _| Ok(value)),
    ("split", takes(0, &["sep", "maxsplit"]), split),
    ("string", NOTHING, |this, value, _| changed(this, &value, str::to_owned)),
    ("title", NOTHING, title),
    ("tojson", takes(0, &["indent"]), super::maps::tojson),
    ("trim", takes(0, &["chars"]), trim),
    ("truncate", takes(0, &["length", "killwords", "end"]), truncate),
    ("upper", NOTHING, |this, value, _| changed(this, &value, str::to_uppercase)),
    ("url", NOTHING, |_, value, _| Ok(value)),
    ("urlencode", NOTHING, urlencode),
    ("center", takes(0, &["width"]), center),
    ("wordcount", NOTHING, wordcount),
    ("striptags", NOTHING, striptags),
];

/// A value's text, changed. What is longer afterwards than three times as long is counted before.
fn changed<'a>(
    evaluation: &mut Evaluation<'a>,
    value: &Data<'a>,
    change: impl Fn(&str) -> String,
) -> Evaluated<Data<'a>> {
    let text = evaluation.printed(value)?;
    evaluation.budget.work(text.len() / 16)?;
    Data::text(change(&text), &mut evaluation.budget)
}

fn capitalize<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    changed(this, &value, |text| {
        let mut letters = text.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters.as_str().to_lowercase().chars()).collect()
    })
}

fn title<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    changed(this, &value, |text| {
        let mut out = String::with_capacity(text.len());
        let mut is_first = true;
        for c in text.chars() {
            if is_first {
                out.extend(c.to_uppercase());
            } else {
                out.extend(c.to_lowercase());
            }
            is_first = !c.is_alphanumeric() && c != '\'';
        }
        out
    })
}

/// For HTML.
fn escape<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    this.budget.hold(text.len() as u64 * 6)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            '/' => out.push_str("&#x2f;"),
            other => out.push(other),
        }
    }
    Data::text(out, &mut this.budget)
}

/// Drops what stands between `<` and `>`.
fn striptags<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    changed(this, &value, |text| {
        let mut out = String::with_capacity(text.len());
        let mut is_tag = false;
        for c in text.chars() {
            match c {
                '<' => is_tag = true,
                '>' if is_tag => is_tag = false,
                c if !is_tag => out.push(c),
                _ => {}
            }
        }
        out
    })
}

fn replace<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    let from = text_argument(this, &arguments, 0, "old")?.unwrap_or_default();
    let to = text_argument(this, &arguments, 1, "new")?.unwrap_or_default();
    let most = count_argument(&arguments, 2, "count", 0)?.unwrap_or(usize::MAX);
    this.budget.work(text.len() / 16)?;
    let found = text.matches(from.as_str()).take(most).count();
    this.budget.hold((text.len() as u64).saturating_add((found as u64).saturating_mul(to.len() as u64)))?;
    Data::text(text.replacen(&from, &to, most), &mut this.budget)
}

/// Puts blanks before each line but the first.
fn indent<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    let width = count_argument(&arguments, 0, "width", 0)?.unwrap_or(4);
    let (with_first, with_blank) = (is_set(&arguments, 1, "first"), is_set(&arguments, 2, "blank"));
    let lines = text.lines().count() as u64;
    this.budget.hold((text.len() as u64).saturating_add(lines.saturating_mul(width as u64)))?;
    let margin = " ".repeat(width);
    let mut out = String::with_capacity(text.len());
    for (n, line) in text.lines().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        if (n > 0 || with_first) && (with_blank || !line.is_empty()) {
            out.push_str(&margin);
        }
        out.push_str(line);
    }
    Data::text(out, &mut this.budget)
}

/// Puts a text into the middle of so many characters.
fn center<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    let width = count_argument(&arguments, 0, "width", 0)?.unwrap_or(80);
    let letters = text.chars().count();
    let space = width.saturating_sub(letters);
    this.budget.hold(space as u64)?;
    let left = space / 2;
    let out = format!("{}{text}{}", " ".repeat(left), " ".repeat(space - left));
    Data::text(out, &mut this.budget)
}

/// The first characters of a text, and `…` where there are more.
fn truncate<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    let most = count_argument(&arguments, 0, "length", 0)?.unwrap_or(255);
    let end = text_argument(this, &arguments, 2, "end")?.unwrap_or_else(|| "…".to_owned());
    if text.chars().count() <= most {
        return Ok(value);
    }
    let room = most.saturating_sub(end.chars().count());
    let mut out: String = text.chars().take(room).collect();
    if !is_set(&arguments, 1, "killwords")
        && let Some(blank) = out.rfind(' ')
    {
        out.truncate(blank);
    }
    out.push_str(&end);
    Data::text(out, &mut this.budget)
}

fn wordcount<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    this.budget.work(text.len() / 16)?;
    Ok(Data::whole(text.split_whitespace().count()))
}

fn trim<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let letters = text_argument(this, &arguments, 0, "chars")?;
    if letters.as_ref().is_some_and(|letters| letters.len() > 100) {
        return Err(Fail::type_of("`trim` takes at most 100 characters to drop"));
    }
    changed(this, &value, |text| match &letters {
        None => text.trim().to_owned(),
        Some(letters) => text.trim_matches(|c| letters.contains(c)).to_owned(),
    })
}

fn split<'a>(this: &mut Evaluation<'a>, value: Data<'a>, arguments: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    let by = text_argument(this, &arguments, 0, "sep")?;
    let most = count_argument(&arguments, 1, "maxsplit", 0)?;
    let parts: Vec<&str> = match (by.as_deref(), most) {
        (None, None) => text.split_whitespace().collect(),
        (None, Some(most)) => text.trim().splitn(most + 1, char::is_whitespace).collect(),
        (Some(""), _) => return Err(Fail::type_of("`split` needs a text to split by")),
        (Some(by), None) => text.split(by).collect(),
        (Some(by), Some(most)) => text.splitn(most.saturating_add(1), by).collect(),
    };
    list_of_texts(this, parts)
}

fn lines<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    let text = this.printed(&value)?;
    list_of_texts(this, text.lines().collect())
}

fn list_of_texts<'a>(this: &mut Evaluation<'a>, parts: Vec<&str>) -> Evaluated<Data<'a>> {
    this.budget.work(parts.len())?;
    let parts = parts.into_iter().map(|part| Data::text(part, &mut this.budget));
    let parts = parts.collect::<Evaluated<Vec<_>>>()?;
    Data::list(parts, &mut this.budget)
}

/// A text percent-encoded; a map or a list of pairs as a query.
fn urlencode<'a>(this: &mut Evaluation<'a>, value: Data<'a>, _: Arguments<'a>) -> Evaluated<Data<'a>> {
    let pairs = match &value {
        Data::Map(map) => {
            this.budget.work(map.len())?;
            map.entries().into_iter().map(|(key, value)| (Data::Text(key), value)).collect()
        }
        Data::List(_) => {
            let items = value.items(&mut this.budget)?;
            items.iter().map(|pair| (pair.field("0"), pair.field("1"))).collect()
        }
        _ => Vec::new(),
    };
    if !matches!(value, Data::Map(_) | Data::List(_)) {
        let text = this.printed(&value)?;
        this.budget.hold(text.len() as u64 * 3)?;
        return Data::text(address::encoded(&text), &mut this.budget);
    }
    let mut parts = Vec::new();
    for (key, value) in pairs.iter().filter(|(_, value)| !matches!(value, Data::Missing | Data::Null)) {
        let (key, value) = (this.printed(key)?, this.printed(value)?);
        this.budget.hold((key.len() + value.len()) as u64 * 3)?;
        parts.push(format!("{}={}", address::encoded(&key), address::encoded(&value)));
    }
    Data::text(parts.join("&"), &mut this.budget)
}
