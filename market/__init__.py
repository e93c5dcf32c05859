"""Sentiment against the market: prices to returns, and what the returns say of the sentiment. Frames in, frames out."""
