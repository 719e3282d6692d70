"""The content of a mail: headers, texts, table, attachment, links."""
