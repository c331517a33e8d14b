# SPDX-License-Identifier: MIT
"""Finds the faces in each frame of a stream, and publishes the frames with a rectangle around each:
faces.py FROM TO. Wants frames of shape (height, width, 3) and dtype u1; where the faces are is in
the metadata of those it publishes.
"""

import contextlib
import sys

import cv2
import gi

gi.require_version('Shnd', '1')

from gi.repository import Shnd  # noqa: E402

CASCADE = '/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml'


def publish_faces(detector, frame, publisher):
    picture = frame.array.get()
    if picture.dtype != 'u1' or picture.ndim != 3 or picture.shape[2] != 3:
        sys.exit(f'expected (height, width, 3) of |u1, not {picture.shape} of {picture.dtype.str}')
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    faces = detector.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5)

    with publisher.acquire('u1', picture.shape) as result:
        pixels = result.array.get()
        pixels[...] = picture
        for x, y, width, height in faces:
            cv2.rectangle(pixels, (x, y), (x + width, y + height), (255, 200, 0), 3)
        result.metadata = {'faces': [tuple(map(int, face)) for face in faces]}
        result.timestamp = frame.timestamp


def main(origin, address):
    detector = cv2.CascadeClassifier(CASCADE)
    if detector.empty():
        sys.exit(f'{CASCADE} is missing: install opencv-data')
    with Shnd.Publisher.new(address) as publisher:
        for frame in Shnd.Subscriber.new(origin, latest_only=True):
            with frame:
                publish_faces(detector, frame, publisher)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit('expected the address to read from, and the address to publish at')
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
