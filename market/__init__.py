"""Sentiment and the market: returns from prices, and how they follow the sentiment. Frames in, frames out."""
