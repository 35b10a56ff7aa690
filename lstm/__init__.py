"""The maths of a frozen LSTM: parameters in, a trace of every quantity out."""
