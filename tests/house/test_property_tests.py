"""Property tests share their process with the background threads of libraries."""

import random
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st


def draw_in_another_thread() -> None:
    thread = Thread(target=random.random)
    thread.start()
    thread.join()


def test_another_thread_may_use_the_random_module_while_an_example_is_drawn():
    @given(nothing=st.builds(draw_in_another_thread))
    def draw(nothing):
        assert nothing is None

    draw()
