"""Memory is used again, and never by two at once."""

import gc

import numpy as np

from lstm.engines.room import Room

SHAPE = (70, 500)  # of float32, more than the smallest block


def test_what_is_held_is_never_handed_out_again():
    room = Room()
    held = [room.empty(SHAPE) for _ in range(20)]
    for number, array in enumerate(held):
        array[:] = number
    assert [set(array.ravel()) for array in held] == [{number} for number in range(20)]


def test_a_view_holds_it_too():
    room = Room()
    view = room.empty(SHAPE).reshape(100, 350)[3:5].T
    view[:] = 7
    gc.collect()
    room.empty(SHAPE)[:] = 1
    assert (view == 7).all()


def test_memory_is_used_again_also_for_another_shape_of_about_the_size():
    room = Room()
    first = room.empty(SHAPE)
    place = first.ctypes.data
    del first
    again = room.empty((64, 600))
    assert again.ctypes.data == place
    assert again.shape == (64, 600)
    assert room.empty((64, 600)).ctypes.data != place


def test_no_more_than_a_few_blocks_wait():
    room = Room()
    held = [room.empty(SHAPE) for _ in range(30)]
    del held
    assert sum(map(len, room._free.values())) == 8


def test_nor_blocks_that_are_large_together():
    room = Room()
    held = [room.empty((2**26,)) for _ in range(6)]  # of 256 MiB, which nothing touches
    del held
    assert sum(map(len, room._free.values())) == 4


def test_small_and_large_arrays_are_those_of_numpy():
    room = Room()
    for shape in ((3, 4), (0, 9), (2**28 + 1,)):
        array = room.empty(shape)
        assert (array.shape, array.dtype) == (shape, np.float32)
    assert room._free == {}
