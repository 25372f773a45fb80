use super::*;

const HOUR: i64 = 3_600_000;

fn speed(per_second: f64) -> Speed {
    Speed { per_second, burst: 1.0 }
}

fn speeds(filter: f64, get: f64) -> Speeds {
    Speeds { filter: speed(filter), get: Some(speed(get)) }
}

fn sample(hour: i64, pages: f64) -> Sample {
    Sample {
        span: Span::new(hour * HOUR, (hour + 1) * HOUR),
        pages,
        totals: StreamTotals { events: 650, bytes: 1_000_000 },
    }
}

fn stream(name: &str, from: i64, to: i64) -> Stream {
    Stream { name: name.into(), active: Span::new(from * HOUR, to * HOUR) }
}

fn day() -> Vec<Sample> {
    (0..8).map(|hour| sample(hour, 100.0)).collect()
}

#[test]
fn a_sample_that_begins_in_a_burst_is_not_taken_for_the_whole() {
    let mut samples = day();
    samples[3].pages = 1_000_000.0;
    let pages: Vec<f64> = tempered(samples).iter().map(|sample| sample.pages).collect();
    assert_eq!(whole(pages.iter().sum()), 7 * 100 + 1_000);
}

#[test]
fn the_faster_call_is_chosen() {
    for (filter, get, streams, expected) in [
        (20.0, 20.0, 2, Api::FilterLogEvents),
        (8.0, 20.0, 2, Api::GetLogEvents),
        (4.0, 8.0, 6, Api::GetLogEvents),
        // A thousand old streams have to be asked, too.
        (8.0, 20.0, 1_000, Api::FilterLogEvents),
    ] {
        let estimate = estimate(&day(), streams, speeds(filter, get));
        assert_eq!(estimate.api, expected, "{filter} {get} {streams}");
    }
}

#[test]
fn a_filter_pattern_leaves_no_choice() {
    let speeds = Speeds { filter: speed(8.0), get: None };
    assert_eq!(estimate(&day(), 2, speeds).api, Api::FilterLogEvents);
}

#[test]
fn the_estimate_adds_up() {
    let estimate = estimate(&day(), 2, speeds(20.0, 20.0));
    assert_eq!(estimate.calls, 848);
    assert_eq!((estimate.events, estimate.bytes), (520_000, 800_000_000));
    assert_eq!(estimate.time.as_secs(), 42);
}

#[test]
fn lanes_keep_the_speed_up_at_any_latency() {
    for (per_second, millis, expected) in
        [(20.0, 300, 9), (4.0, 100, 2), (8.0, 1_000, 11), (25.0, 60_000, 64), (20.0, 0, 2)]
    {
        let lanes = lanes(per_second, Duration::from_millis(millis));
        assert_eq!(lanes, expected, "{per_second} at {millis} ms");
    }
}

#[test]
fn windows_are_short_for_little_and_long_for_much() {
    let pages = |samples: &[Sample], api| pages_per_window(api, samples, 10);
    assert_eq!(pages(&[sample(0, 3.0)], Api::FilterLogEvents), 1);
    assert_eq!(pages(&[sample(0, 90.0)], Api::FilterLogEvents), 3);
    assert_eq!(pages(&day(), Api::FilterLogEvents), 16);
    assert_eq!(pages(&[sample(0, 3.0)], Api::GetLogEvents), 4);
}

#[test]
fn the_windows_of_a_stream_are_the_whole_range_where_it_is_silent_too() {
    let span = Span::new(0, 8 * HOUR);
    let streams = [stream("a", 2, 4), stream("b", -5, 20), stream("old", -9, -8)];
    let windows = stream_windows(span, &streams, &day(), 16);
    for stream in &streams {
        let mut spans: Vec<Span> = windows
            .iter()
            .filter(|window| window.stream.as_ref() == Some(&stream.name))
            .map(|window| window.span)
            .collect();
        spans.sort_by_key(|span| span.start);
        assert_eq!(spans.first().unwrap().start, span.start, "{spans:?}");
        assert_eq!(spans.last().unwrap().end, span.end, "{spans:?}");
        assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start), "{spans:?}");
    }
    let count =
        |name| windows.iter().filter(|window| window.stream.as_deref() == Some(name)).count();
    // Two silent parts and 100 pages: 2 hours, of which another stream has one half.
    assert_eq!(count("a"), 2 + 7);
    assert_eq!(count("old"), 1);
}

/// A window of 1,000 ms that has read `read` pages and got to `reached`.
fn window(read: usize, stride: i64) -> Window {
    use crate::source::cloudwatch::page::{LogEvent, Page};
    let mut window = Window::new(Span::new(0, 1_000), None);
    for page in 1..=read {
        let event = LogEvent {
            id: Some(page.to_string()),
            stream: None,
            time: Some(i64::try_from(page).unwrap() * stride),
            ingested: None,
            message: String::new(),
        };
        let events = if stride == 0 { Vec::new() } else { vec![event] };
        window.absorb(Page { events, next: Some(page.to_string()) }, "");
    }
    window
}

#[test]
fn a_window_is_cut_when_it_lags() {
    for (read, stride, planned, idle, expected, why) in [
        (1, 10, 4, 0, 8, "far longer than planned, as far as one page tells"),
        (10, 10, 4, 0, 25, "far longer than planned"),
        (1, 250, 4, 0, 1, "as long as planned"),
        (1, 250, 4, 3, 4, "nothing else to do for three lanes"),
        (3, 250, 4, 3, 1, "nearly over"),
        (8, 10, 200, 0, 1, "no lane is idle"),
        (8, 0, 4, 7, 8, "no events so far, and nothing else to do"),
        (8, 0, 4, 0, 1, "no events so far"),
    ] {
        let window = window(read, stride);
        assert_eq!(parts_of_lagging(&window, planned, idle), expected, "{why}");
    }
}

#[test]
fn sampled_windows_are_cut_to_size_and_finished_ones_left_out() {
    let progress = FetchProgress::default();
    let long = window(1, 10);
    let short = window(1, 500);
    let over = Window::new(Span::new(0, 1_000), None);
    let sampled = [(long, 100.0), (short, 3.0), (over, 1.0)].map(|(window, pages)| {
        let span = window.span;
        (window, Sample { span, pages, totals: StreamTotals::default() })
    });
    let windows = sampled_windows(sampled.into(), 10, &progress);
    assert_eq!(windows.len(), 10 + 1);
    assert_eq!(windows.iter().filter(|window| window.token.is_some()).count(), 1);
}
