"""One page that opens from disk: words to click, and everything behind each of them."""
