"""Naughty strings: what people paste, what phones send by mistake, and what attackers try."""

ZWJ, RLO, PDF, BOM, LRM, NBSP = "\u200d", "\u202e", "\u202c", "\ufeff", "\u200e", "\u00a0"

NAUGHTY: tuple[str, ...] = (
    # Nothing much.
    "", " ", "   ", "\t", "\n", "\r\n", "\u3000", NBSP, "\u200b", BOM, LRM, "\u2060", "\u00ad", "\u180e", "\u2028", "\u2029", "\x85",
    # Control characters, NUL, and lone surrogates, which are no characters at all.
    "a\x00b", "\x00", "\x01\x02\x03", "a\x07b\x08c", "\x1b[31mred\x1b[0m", "\x1f", "\x7f", "\x80\x9f", "a\x0bb\x0cc", "\ud800", "a\udfffb",
    "\udc00\ud800", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\ue000", "\ufffd", "\ufff9x\ufffa", "\U000e0001\U000e0041",
    # Directions, joins, marks.
    "مرحبا بالعالم", "שלום", f"{RLO}gpj.exe{PDF}", "abc\u202dxyz", "\u2066a\u2069b", f"👩{ZWJ}👩{ZWJ}👧{ZWJ}👦", "🏳️‍🌈", "👍🏿", "🇨🇳", "1️⃣", "❤️",
    "Z̸̢̛͖͎̱a̷l̴g̵o̶", "e\u0301", "\u00e9", "한국어", "\u1112\u1161\u11ab", "ǅ", "İi̇ıI", "ß ẞ ſ", "ﬀ ﬃ", "Å Å Å", "ก็็็็็็็็็", "\u0300alone", "ཨོཾ་མ་ཎི",
    "a" + "\u0301" * 500, "﷽" * 50, "𠀀𠮷𪚥", "㍿㊙", "河长制〇〡", "全角ＡＢＣ１２３", "ｶﾀｶﾅ", "①②③", "𝕳𝖊𝖑𝖑𝖔", "ℵ₀ ∑ √", "—–‐‑", "“”‘’«»",
    # Long.
    "x" * 99, "x" * 101, "x" * 256, "汉" * 1000, "汉" * 1999, "汉" * 2001, "汉" * 4001, "x" * 70_000, "😀" * 3000, "a " * 2000, "\n" * 500,
    # SQL, HTML, scripts, templates.
    "' OR 1=1 --", "'; DROP TABLE issues; --", "1;SELECT pg_sleep(5)", "%' AND 1=1 %", "\\", "\\'", "%", "_", "a%b_c\\d", "''", '""', "`",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "&amp;amp;", "]]>", "<!--", "<![CDATA[x]]>", "javascript:alert(1)",
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0}", "{reason}", "{", "}", "{}", "%s%n%d", "%(name)s", "%00", "%0d%0a", "\\u0000", "\\x00",
    # Spreadsheets, headers, paths, logs.
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", "=HYPERLINK(\"http://example.org\")", "a\r\nSet-Cookie: x=1",
    "a\nb", "a\rb", "../../etc/passwd", "C:\\con", "/dev/null", "nul", "file:///etc/passwd", "a;b", "a,b", 'a"b', "a\tb", "|id", "$(id)", "`id`",
    '{"event":"faked"}', "[]", "null", "None", "undefined", "NaN", "Infinity", "true", "0", "-0", "1e1000", "0x1F", "1,000", "٣٫١٤",
)
