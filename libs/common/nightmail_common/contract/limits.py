"""The ceilings of everything that an outsider controls; `docs/limits.md` says what happens at each.

Sizes in an event are those of its JSON, where a control character takes six bytes. NATS accepts messages of 1 MiB unless
its `max_payload` is set. The parts of a run's outcome that cannot be shortened take at most 978 KiB of it: the job, the
column names and kinds, the notes and the figures, without their pictures. Its log and its error take the rest and are shortened to fit.

This module imports nothing: the fork server of the sandbox loads it.
"""

#: A job's script, in UTF-8. All of it control characters, it takes 768 KiB of an event.
MAX_SCRIPT_BYTES = 128 * 1024
#: A job as JSON: the longest script, and 64 KiB for all other fields.
MAX_JOB_JSON_BYTES = 832 * 1024

#: Addresses in one field of a job; each result of it has an event that names them.
MAX_RECIPIENTS = 100
#: Of a result that is split: its values, and the recipients of all of them, each of whom is an entry in the run. A value is
#: in the name of a file and in a subject. The index has each value and address once, with up to six bytes a character.
MAX_SLICES, MAX_SLICE_RECIPIENTS, MAX_SLICE_VALUE_CHARS = 1000, 2000, 200
MAX_SLICE_INDEX_BYTES = 8 * 1024**2

#: Of a reply of the SMTP server, as events and the delivery ledger have it; a line has 512 (RFC 5321 section 4.5.3.1.5). An
#: event has one for each of 100 recipients.
MAX_REPLY_CHARS = 1000
#: Of a delivery status notification, which anybody can send: what is read of it, its parts, and the reply that is kept.
MAX_BOUNCE_BYTES, MAX_BOUNCE_PARTS, MAX_BOUNCE_ANSWER_CHARS = 64 * 1024, 20, 300
#: Mails of one look into the mailbox of bounces; the others follow at the next one.
MAX_BOUNCES_READ = 100

#: Of an address, as RFC 5321 (section 4.5.3.1.3) says; its check takes a time that grows with the square of a run of
#: combining marks.
MAX_EMAIL_CHARS = 254

#: Of one job. A schedule for each minute whose calendar moves 60 days in a row takes the ticker a second for their business day.
MAX_SCHEDULES, MAX_CALENDAR_DAYS = 20, 60

#: The longest name of the tz database has 32 characters.
MAX_TIMEZONE_CHARS = 64
#: The defaults of the settings MAX_RESULT_BYTES, MAX_ROWS and MAX_COLUMNS. A spreadsheet has 16,384 columns.
DEFAULT_MAX_RESULT_BYTES = 256 * 1024**2
DEFAULT_MAX_ROWS = 10_000_000
DEFAULT_MAX_COLUMNS = 16_384
#: The default of the setting MAX_JOB_RESULT_BYTES: of all stored results of a job, 1 GiB each day for a month.
DEFAULT_MAX_JOB_RESULT_BYTES = 32 * 1024**3

#: All column names of a result that an event lists, as JSON: enough for 16,384 names of one character.
MAX_COLUMN_NAMES_JSON_BYTES = 64 * 1024
#: The columns of text that an event lists by their positions: they take 14 KB of it.
MAX_TEXT_COLUMNS = 2_000
#: Notes of one run, the length of each, and all of them as JSON.
MAX_NOTES, MAX_NOTE_CHARS = 50, 500
#: Sources of a job besides its first one, and the length of their names.
MAX_MORE_SOURCES, MAX_SOURCE_NAME_CHARS = 8, 64
#: Of one run: its sources are often on one host, which may count requests.
MAX_FETCHES_AT_ONCE = 4
MAX_NOTES_JSON_BYTES = 48 * 1024
#: A message or a traceback of a failed run, which people read. A script can raise an exception with a text of any length.
MAX_ERROR_TEXT_CHARS = 16_384
MAX_ERROR_TYPE_CHARS = 200
#: The reason of `skip`, which people read in a list.
MAX_REASON_CHARS = 1000
#: A line of a script: each takes at least one byte.
MAX_SCRIPT_LINES = MAX_SCRIPT_BYTES + 1
#: For the stack of a script that takes too long, before it is killed: it comes within milliseconds, but the script can prevent
#: that, or write something else.
MAX_STACK_SECONDS, MAX_STACK_BYTES = 1.0, 64 * 1024
#: Of one stage of a run: twelve days, which no timeout reaches.
MAX_STAGE_MILLISECONDS = 1e9
#: The output of a script: as much from the beginning, and as much from the end.
MAX_LOG_PART_BYTES = 64 * 1024

#: Figures of one run, which a mail shows: how many, and the PNG of each and of all together. As base64, all of them take
#: half of what most providers accept as one mail.
MAX_FIGURES = 10
MAX_FIGURE_BYTES, MAX_FIGURES_BYTES = 1024**2, 5 * 1024**2
#: A figure in a mail is 640 points wide, so that this is six times its width.
MAX_FIGURE_SIDE_PIXELS = 4000
#: The text for people who do not see a figure. Screen readers read it in one go.
MAX_FIGURE_ALT_CHARS = 300

#: A value that a subject's template reads, and what one of its filters returns: a mail's subject has 200 characters.
MAX_SUBJECT_VALUE_CHARS = 2_000
#: Expressions and conditions of a subject or a message in each other, and its filters.
MAX_TEMPLATE_NESTING, MAX_TEMPLATE_FILTERS = 40, 200
#: A job's message: a template in Markdown. Filled with values, a mail shows 16,000 characters of it.
MAX_MESSAGE_TEMPLATE_CHARS = 8_192
#: The first rows of a result that a mail shows are read from this part of its CSV: 12 columns of 20 rows fit many times.
MAX_TABLE_BYTES = 1024 * 1024

#: The parser takes a time that grows with the square of this: 60,000 parts took 20 seconds.
MAX_DOTTED_NAME_PARTS = 200
#: Compiled where the definition is validated: it takes some milliseconds. Python compiles a `finally` twice, so that
#: nested ones double the code with each level. A longer script is compiled in a process of its own.
MAX_QUICK_SCRIPT_BYTES, MAX_QUICK_FINALLY = 2048, 6
#: For the script of a job in a process of its own: CPU time, address space, and how many at a time.
MAX_COMPILE_CPU_SECONDS, MAX_COMPILE_MEMORY_BYTES, MAX_COMPILES = 5, 1024**3, 2

#: Dry runs at a time: of one runner, of one token, and of one replica of the API. A runner lets this many wait.
MAX_RUNNER_PREVIEWS, MAX_TOKEN_PREVIEWS, MAX_API_PREVIEWS, MAX_WAITING_PREVIEWS = 2, 4, 32, 16
#: The part of a CSV from which a dry run shows 20 rows: parsed within some 30 ms on the runner's event loop.
MAX_PREVIEW_TABLE_BYTES = 4 * 1024 * 1024
#: The figures that an answer about a dry run has: as base64, half of a message of 1 MiB.
MAX_PREVIEW_FIGURES_BYTES = 384 * 1024
#: Of a dry run on a runner, with fetch and queue; the API waits longer for its answer.
MAX_PREVIEW_SECONDS = 75.0
#: Samples, each the input of a dry run: the bytes of its sources, how many a token has (of one replica of the API; a further
#: one takes the place of the oldest), all together with what JetStream keeps beside them, and for how long they are kept.
MAX_SAMPLE_BYTES, MAX_TOKEN_SAMPLES, MAX_SAMPLES_BYTES, SAMPLE_SECONDS = 16 * 1024**2, 8, 1024**3, 3600.0

#: Rendered mails at a time: of one mailer, which lets this many wait, of one token, and of one replica of the API. A mailer
#: reads the whole result for one, as it does to send it.
MAX_MAILER_RENDERINGS, MAX_WAITING_RENDERINGS, MAX_TOKEN_RENDERINGS, MAX_API_RENDERINGS = 1, 16, 2, 16
#: Of a rendered mail on a mailer; the API waits longer for its answer.
MAX_RENDER_SECONDS = 30.0

#: The files of a dry run that is mailed once, together; and the time for its mail on a mailer. The API waits longer.
MAX_SENT_PREVIEW_BYTES, MAX_SEND_PREVIEW_SECONDS = 16 * 1024**2, 60.0

#: Sign-ins of one replica that wait for the OpenID Connect issuer at a time: each holds a thread for up to 5 s.
MAX_API_SIGN_INS = 4

#: Of a test mail on a mailer, for all its steps; the API waits longer for its answer.
MAX_TEST_MAIL_SECONDS = 60.0
#: Test mails at a time: of one mailer, of one token, and of one replica of the API.
MAX_MAILER_TEST_MAILS, MAX_TOKEN_TEST_MAILS, MAX_API_TEST_MAILS = 2, 1, 4

#: For a source that is tried when its job is created, on the runner and in the API; and such sources at a time of a runner.
MAX_SOURCE_CHECK_SECONDS, MAX_SOURCE_CHECK_WAIT_SECONDS, MAX_SOURCE_CHECKS = 1.7, 2.0, 18

#: Of one answer of `GET /events`: it ends after the event that reaches this, and the caller asks for the rest.
MAX_EVENTS_ANSWER_BYTES = 8 * 1024 * 1024
#: Of one request to the log for such an answer.
MAX_EVENTS_BATCH_BYTES = 2 * 1024 * 1024
#: Of one page backwards: the sequences that it looks at, and the events at a time. A rare event may be on a later page.
MAX_EVENTS_SCANNED, MAX_EVENTS_WINDOW = 50_000, 2_000
#: Event streams open at a time: of one token, and of one replica.
MAX_TOKEN_STREAMS, MAX_API_STREAMS = 20, 400
#: MCP sessions open at a time: of one token, and of one replica. Clients of the version 2026-07-28 have none.
MAX_TOKEN_AGENT_SESSIONS, MAX_API_AGENT_SESSIONS = 20, 200
#: The newest events, which a replica holds once for all streams; a stream that is further behind reads pages of the log,
#: this many streams at a time.
MAX_FEED_EVENTS, MAX_FEED_BYTES, MAX_FEED_PAGES = 2_000, 4 * 1024 * 1024, 8
#: Runs that wait for a runner when another one is requested by hand: of one job, and of those that one token requested.
MAX_QUEUED_RUNS_OF_JOB, MAX_QUEUED_RUNS_OF_TOKEN = 1_000, 5_000
#: Of one fetch with its attempts, redirects and pages. A source that sends a byte now and then would hold a runner for ever.
MAX_FETCH_SECONDS = 900
#: The longest Retry-After that is honoured; a source that asks for more fails the fetch.
MAX_RETRY_AFTER_SECONDS = 30.0
MAX_REDIRECTS = 5
#: What compressed data may be larger than its content: empty members and blocks have no content that another limit counts.
MAX_COMPRESSED_OVERHEAD = 16 * 1024**2
#: For which an answer is read before others have their turn on the runner's event loop.
MAX_HELD_SECONDS = 0.005
#: Of the body of a source's refusal, what is read, and what an error shows.
MAX_EXCERPT_BYTES, MAX_EXCERPT_CHARS = 4096, 500
#: An answer with an OAuth 2.0 token is some KB. A runner keeps tokens for more credentials than its jobs have.
MAX_TOKEN_ANSWER_BYTES, MAX_TOKENS = 64 * 1024, 1000
#: The default and the ceiling of `max_pages`.
DEFAULT_MAX_PAGES, MAX_PAGES = 100, 1000
#: A page of JSON is parsed in the runner's own process, which must stay responsive: at most 0.6 s for a page of the most
#: costly shape. Containers are the lists and objects of a page, counted by their opening brackets.
MAX_PAGE_BYTES, MAX_PAGE_CONTAINERS = 8 * 1024**2, 250_000
#: Of the files that one token stored last, so that an editor leaves room for the others.
MAX_TOKEN_FILES_BYTES = 2 * 1024**3
#: Of one stored file, as many bytes as an input may have by default; and of all files, with what JetStream keeps beside them.
MAX_FILE_BYTES, MAX_FILES_BYTES, MAX_FILES = 256 * 1024**2, 4 * 1024**3, 1000
#: The names of jobs in the answer about one file: a person is warned by a few.
MAX_FILE_READERS = 100
#: For the body of an upload; uploads at a time of one token, and of one replica of the API.
MAX_UPLOAD_SECONDS, MAX_TOKEN_UPLOADS, MAX_API_UPLOADS = 600.0, 4, 16
#: Inputs that are kept: of the last runs of one job, and all together, with what JetStream keeps beside them.
MAX_KEEP_INPUTS, MAX_INPUTS_BYTES = 100, 16 * 1024**3
#: Of an ETag or a Last-Modified. With a longer one, the source is fetched whole each time.
MAX_VALIDATOR_CHARS = 512
#: Notes of one fetch, and of all fetches of a run; one is as long as a note of the parser.
MAX_FETCH_NOTES = 10

#: A comparison of two results: the rows and bytes of each. A million rows take some 10 s and 400 MB.
MAX_COMPARED_ROWS, MAX_COMPARED_BYTES = 1_000_000, 64 * 1024**2
#: What a comparison lists: rows of each kind, characters of a cell, and of all rows together.
MAX_LISTED_ROWS, MAX_LISTED_CELL_CHARS, MAX_LISTED_CHARS = 200, 1_000, 2_000_000
#: The rows of a result that its mail can mark as new or changed: those that it shows.
MAX_MARKED_ROWS = 20
#: Of the process that compares two results for a request: CPU time, address space; and how many at a time of one replica.
MAX_DIFF_CPU_SECONDS, MAX_DIFF_MEMORY_BYTES, MAX_DIFFS = 60, 1024**3, 2
#: Results of which a page of rows is read at a time.
MAX_ROWS_READERS = 4

#: From a connection, or from the first byte of a request, to the end of its header; then to the end of its body.
MAX_HEADER_SECONDS, MAX_BODY_SECONDS = 10.0, 30.0
#: Of a body that is too large: read and discarded, so that the client can read the answer.
MAX_DRAINED_BYTES, MAX_DRAIN_SECONDS = 64 * 1024 * 1024, 10.0
#: Connections of one address that wait for their client: for a request, or until it reads its answer. Most wait for some
#: milliseconds; a proxy opens none before it has a request. The files that the API may open hold those of many addresses.
MAX_WAITING_CONNECTIONS, MAX_OPEN_FILES = 128, 65_536
#: What a client has to read of an answer in this time.
MIN_READ_BYTES, READ_CHECK_SECONDS = 16 * 1024, 30.0
#: Of a problem document: all errors together, and one text. The rest is counted.
MAX_PROBLEM_CHARS, MAX_PROBLEM_TEXT_CHARS, MAX_PROBLEM_FIELD_CHARS = 6_000, 2_000, 200
