"""The ceilings of everything that an outsider controls; `docs/limits.md` says what happens at each.

Sizes in an event are those of its JSON, where a control character takes six bytes. NATS accepts messages of 1 MiB unless
its `max_payload` is set. The parts of a run's outcome that cannot be shortened take at most 978 KiB of it: the job, the
column names and kinds, the notes and the figures, without their pictures. Its log and its error are shortened to the rest.

This module imports nothing: the fork server of the sandbox loads it.
"""

#: A job's script, in UTF-8. All of it control characters, it takes 768 KiB of an event.
MAX_SCRIPT_BYTES = 128 * 1024
#: A job as JSON: the longest script, and 64 KiB for all other fields.
MAX_JOB_JSON_BYTES = 832 * 1024

#: Addresses in one field of a job; each result of it has an event that names them.
MAX_RECIPIENTS = 100
#: A split result: its slices, the recipients of all slices (each is an entry in the run), and the length of the value that
#: names a slice. A value is in the name of a file and in a subject. The index of the slices has each value and address once,
#: with up to six bytes a character.
MAX_SLICES, MAX_SLICE_RECIPIENTS, MAX_SLICE_VALUE_CHARS = 1000, 2000, 200
MAX_SLICE_INDEX_BYTES = 8 * 1024**2

#: The SMTP server's reply, as events and the delivery ledger have it. A line of a reply has 512 characters (RFC 5321 section
#: 4.5.3.1.5). An event has one reply for each of 100 recipients.
MAX_REPLY_CHARS = 1000
#: A delivery status notification, which anybody can send: the bytes that are read, its parts, and the reply that is kept.
MAX_BOUNCE_BYTES, MAX_BOUNCE_PARTS, MAX_BOUNCE_ANSWER_CHARS = 64 * 1024, 20, 300
#: The mails that one check of the bounce mailbox reads; the next check reads the others.
MAX_BOUNCES_READ = 100

#: An email address (RFC 5321 section 4.5.3.1.3). The time to check one grows with the square of the number of combining
#: marks in a row.
MAX_EMAIL_CHARS = 254

#: The schedules of one job, and the days in its calendar. Of an every-minute schedule whose calendar moves 60 days in a row to
#: one business day, the ticker computes the due times of that day in a second.
MAX_SCHEDULES, MAX_CALENDAR_DAYS = 20, 60

#: The longest name of the tz database has 32 characters.
MAX_TIMEZONE_CHARS = 64
#: The defaults of the settings MAX_RESULT_BYTES, MAX_ROWS and MAX_COLUMNS. A spreadsheet has 16,384 columns.
DEFAULT_MAX_RESULT_BYTES = 256 * 1024**2
DEFAULT_MAX_ROWS = 10_000_000
DEFAULT_MAX_COLUMNS = 16_384
#: The default of the setting MAX_JOB_RESULT_BYTES: all stored results of a job. It is enough for 1 GiB each day for a month.
DEFAULT_MAX_JOB_RESULT_BYTES = 32 * 1024**3

#: All column names of a result that an event lists, as JSON: enough for 16,384 names of one character.
MAX_COLUMN_NAMES_JSON_BYTES = 64 * 1024
#: The columns of text that an event lists by their positions: they take 14 KB of it.
MAX_TEXT_COLUMNS = 2_000
#: The notes of one run, and the length of each.
MAX_NOTES, MAX_NOTE_CHARS = 50, 500
#: Sources of a job besides its first one, and the length of their names.
MAX_MORE_SOURCES, MAX_SOURCE_NAME_CHARS = 8, 64
#: The sources that one run fetches at the same time. They are often on one host, which may count requests.
MAX_FETCHES_AT_ONCE = 4
#: All notes of one run as JSON.
MAX_NOTES_JSON_BYTES = 48 * 1024
#: A message or a traceback of a failed run, which people read. A script can raise an exception with a text of any length.
MAX_ERROR_TEXT_CHARS = 16_384
MAX_ERROR_TYPE_CHARS = 200
#: The reason of `skip`, which people read in a list.
MAX_REASON_CHARS = 1000
#: A line of a script: each takes at least one byte.
MAX_SCRIPT_LINES = MAX_SCRIPT_BYTES + 1
#: A script that takes too long is asked for its stack before it is killed: how long its answer may take, and its size. It
#: comes within milliseconds, but the script can prevent that, or write something else.
MAX_STACK_SECONDS, MAX_STACK_BYTES = 1.0, 64 * 1024
#: The time that one stage of a run is said to take: twelve days, which no timeout reaches.
MAX_STAGE_MILLISECONDS = 1e9
#: What is kept of a script's output: this much of the beginning, and this much of the end.
MAX_LOG_PART_BYTES = 64 * 1024

#: Figures of one run, which a mail shows: how many, and the PNG of each and of all together. As base64, all of them take
#: half of what most providers accept as one mail.
MAX_FIGURES = 10
MAX_FIGURE_BYTES, MAX_FIGURES_BYTES = 1024**2, 5 * 1024**2
#: The width and the height of a figure: six times the 640 points that it is wide in a mail.
MAX_FIGURE_SIDE_PIXELS = 4000
#: The text for people who do not see a figure. Screen readers read it in one go.
MAX_FIGURE_ALT_CHARS = 300

#: A value that a subject's template reads, and what one of its filters returns: a mail's subject has 200 characters.
MAX_SUBJECT_VALUE_CHARS = 2_000
#: How deep expressions and conditions of a subject or a message may be nested, and how many filters it may have.
MAX_TEMPLATE_NESTING, MAX_TEMPLATE_FILTERS = 40, 200
#: A job's message: a template in Markdown. Filled with values, a mail shows 16,000 characters of it.
MAX_MESSAGE_TEMPLATE_CHARS = 8_192
#: The first rows of a result that a mail shows are read from this part of its CSV: 12 columns of 20 rows fit many times.
MAX_TABLE_BYTES = 1024 * 1024

#: The parts of a dotted name in a script. Python's parser takes a time that grows with the square of this: 20 seconds for
#: 60,000 parts.
MAX_DOTTED_NAME_PARTS = 200
#: A script of up to this length, and with up to this many `finally`, is compiled where its job is validated, in some
#: milliseconds; any other one in a process of its own. Python compiles a `finally` twice: each nested one doubles the code.
MAX_QUICK_SCRIPT_BYTES, MAX_QUICK_FINALLY = 2048, 6
#: The process that compiles a long script: CPU time and address space; and how many such processes run at a time, in all and
#: of one token or job.
MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES, MAX_COMPILES, MAX_OWNER_COMPILES = 5, 1024**3, 2, 1

#: Dry runs at a time: of one runner, of one token, and of one replica of the API. A runner lets this many wait.
MAX_RUNNER_PREVIEWS, MAX_TOKEN_PREVIEWS, MAX_API_PREVIEWS, MAX_WAITING_PREVIEWS = 2, 4, 32, 16
#: The part of a CSV from which a dry run shows 20 rows: parsed within some 30 ms on the runner's event loop.
MAX_PREVIEW_TABLE_BYTES = 4 * 1024 * 1024
#: The figures that an answer about a dry run has: as base64, half of a message of 1 MiB.
MAX_PREVIEW_FIGURES_BYTES = 384 * 1024
#: The time of a dry run on a runner, with its wait and its fetch; the API waits longer for the answer.
MAX_PREVIEW_SECONDS = 75.0
#: Samples, which are kept inputs of dry runs: the bytes of one; how many a token has in each replica of the API (a further one
#: replaces the oldest); the bytes of all, with what JetStream keeps beside them; and for how long one is kept.
MAX_SAMPLE_BYTES, MAX_TOKEN_SAMPLES, MAX_SAMPLES_BYTES, SAMPLE_SECONDS = 16 * 1024**2, 8, 1024**3, 3600.0

#: Rendered mails at a time: of one mailer, which lets this many wait, of one token, and of one replica of the API. A mailer
#: reads the whole result for one, as it does to send it.
MAX_MAILER_RENDERINGS, MAX_WAITING_RENDERINGS, MAX_TOKEN_RENDERINGS, MAX_API_RENDERINGS = 1, 16, 2, 16
#: The time in which a mailer renders a mail; the API waits longer for the answer.
MAX_RENDER_SECONDS = 30.0

#: A dry run that is mailed once: the bytes of all its files, and the time for its mail on a mailer. The API waits longer.
MAX_SENT_PREVIEW_BYTES, MAX_SEND_PREVIEW_SECONDS = 16 * 1024**2, 60.0

#: Sign-ins of one replica that wait for the OpenID Connect issuer at a time: each holds a thread for up to 5 s.
MAX_API_SIGN_INS = 4

#: The time for all steps of a test mail on a mailer; the API waits longer for the answer.
MAX_TEST_MAIL_SECONDS = 60.0
#: Test mails at a time: of one mailer, of one token, and of one replica of the API.
MAX_MAILER_TEST_MAILS, MAX_TOKEN_TEST_MAILS, MAX_API_TEST_MAILS = 2, 1, 4

#: A source is tried when its job is created: how long the runner takes, how long the API waits for the runner, and how many
#: sources a runner tries at a time.
MAX_SOURCE_CHECK_SECONDS, MAX_SOURCE_CHECK_WAIT_SECONDS, MAX_SOURCE_CHECKS = 1.7, 2.0, 18

#: A page of jobs, versions, runs or mails: it ends after the item that reaches this, and `next_cursor` leads on.
MAX_PAGE_CHARS = 2 * 1024 * 1024
#: One answer of `GET /events`: it ends after the event that reaches this, and the caller asks for the rest.
MAX_EVENTS_ANSWER_BYTES = 8 * 1024 * 1024
#: What the broker answers to one request of the API for events; it makes several for one answer of `GET /events`.
MAX_EVENTS_BATCH_BYTES = 2 * 1024 * 1024
#: One page of events, newest first: the sequences that are searched for it, and the events that are read at a time. A rare
#: event may be on a later page.
MAX_EVENTS_SCANNED, MAX_EVENTS_WINDOW = 50_000, 2_000
#: Event streams open at a time: of one token, and of one replica.
MAX_TOKEN_STREAMS, MAX_API_STREAMS = 20, 400
#: MCP sessions open at a time: of one token, and of one replica. Clients of the version 2026-07-28 have none.
MAX_TOKEN_AGENT_SESSIONS, MAX_API_AGENT_SESSIONS = 20, 200
#: Requests of agents under way at a time, of one token and of one replica. One that asks its user waits for the answer, also
#: when its connection is closed, until its session ends.
MAX_TOKEN_AGENT_CALLS, MAX_API_AGENT_CALLS = 20, 200
#: A replica holds the newest events once for all streams: their number and their bytes. A stream that needs older events reads
#: pages of the log; at most this many streams do so at a time.
MAX_FEED_EVENTS, MAX_FEED_BYTES, MAX_FEED_PAGES = 2_000, 4 * 1024 * 1024, 8
#: Runs that wait for a runner when another one is requested by hand: of one job, and of those that one token requested.
MAX_QUEUED_RUNS_OF_JOB, MAX_QUEUED_RUNS_OF_TOKEN = 1_000, 5_000
#: The time of one fetch with its attempts, redirects and pages: a source may send a byte now and then, without end.
MAX_FETCH_SECONDS = 900
#: The longest Retry-After that is honoured; a source that asks for more fails the fetch.
MAX_RETRY_AFTER_SECONDS = 30.0
MAX_REDIRECTS = 5
#: By how much compressed data may be larger than its content. Empty members and blocks have no content, so that no other
#: limit counts them.
MAX_COMPRESSED_OVERHEAD = 16 * 1024**2
#: How long the runner reads one source's answer before its event loop does other work.
MAX_HELD_SECONDS = 0.005
#: A source's answer with an error status: the bytes of its body that are read, and the characters that the run's error shows.
MAX_EXCERPT_BYTES, MAX_EXCERPT_CHARS = 4096, 500
#: An answer with an OAuth 2.0 token is some KB. A runner keeps tokens for more credentials than its jobs have.
MAX_TOKEN_ANSWER_BYTES, MAX_TOKENS = 64 * 1024, 1000
#: The default and the ceiling of `max_pages`.
DEFAULT_MAX_PAGES, MAX_PAGES = 100, 1000
#: A page of JSON is parsed in the runner's own process, which must stay responsive: at most 0.6 s for a page of the most
#: costly shape. Containers are the lists and objects of a page, counted by their opening brackets.
MAX_PAGE_BYTES, MAX_PAGE_CONTAINERS = 8 * 1024**2, 250_000
#: All files that were last stored with the same token, so that one editor leaves room for the others.
MAX_TOKEN_FILES_BYTES = 2 * 1024**3
#: The bytes of one stored file (as many as an input may have by default), the bytes of all files with what JetStream keeps
#: beside them, and their number.
MAX_FILE_BYTES, MAX_FILES_BYTES, MAX_FILES = 256 * 1024**2, 4 * 1024**3, 1000
#: The names of jobs in the answer about one file: a person is warned by a few.
MAX_FILE_READERS = 100
#: Uploads: the time in which the body must arrive, and how many go on at a time, of one token and of one replica of the API.
MAX_UPLOAD_SECONDS, MAX_TOKEN_UPLOADS, MAX_API_UPLOADS = 600.0, 4, 16
#: Inputs that are kept: of the last runs of one job, and all together, with what JetStream keeps beside them.
MAX_KEEP_INPUTS, MAX_INPUTS_BYTES = 100, 16 * 1024**3
#: An ETag or a Last-Modified. With a longer one, the source is fetched whole each time.
MAX_VALIDATOR_CHARS = 512
#: The notes of one fetch, and of all fetches of a run; one is as long as a note of the parser.
MAX_FETCH_NOTES = 10

#: A comparison of two results: the rows and bytes of each. A million rows take some 10 s and 400 MB.
MAX_COMPARED_ROWS, MAX_COMPARED_BYTES = 1_000_000, 64 * 1024**2
#: What a comparison lists: rows of each kind, characters of a cell, and of all rows together.
MAX_LISTED_ROWS, MAX_LISTED_CELL_CHARS, MAX_LISTED_CHARS = 200, 1_000, 2_000_000
#: The rows of a result that its mail can mark as new or changed: those that it shows.
MAX_MARKED_ROWS = 20
#: The process that compares two results: CPU time and address space; and how many of them a replica of the API has at a time,
#: in all and for one token.
MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES, MAX_DIFFS, MAX_TOKEN_DIFFS = 60, 1024**3, 2, 1
#: How many results a replica reads at a time for a page of rows, in all and for one token.
MAX_ROWS_READERS, MAX_TOKEN_ROWS_READERS = 4, 3

#: The time for a request's header, from the connection or the first byte on, and the time for its body after that.
MAX_HEADER_SECONDS, MAX_BODY_SECONDS = 10.0, 30.0
#: A request's body that is too large is read and discarded up to this, so that the client can read the answer.
MAX_DRAINED_BYTES, MAX_DRAIN_SECONDS = 64 * 1024 * 1024, 10.0
#: Connections of one address that wait for their client to send a request or to read an answer; most wait for milliseconds,
#: and a proxy opens none before it has a request. And the files that the API may open: enough for many addresses.
MAX_WAITING_CONNECTIONS, MAX_OPEN_FILES = 128, 65_536
#: A client has to read this many bytes of its answer in this many seconds.
MIN_READ_BYTES, READ_CHECK_SECONDS = 16 * 1024, 30.0
#: A problem document: the characters of all errors together, of one text, and of the name of a field.
MAX_PROBLEM_CHARS, MAX_PROBLEM_TEXT_CHARS, MAX_PROBLEM_FIELD_CHARS = 6_000, 2_000, 200
