"""How frameworks store LSTM weights: one file of data per layout."""
