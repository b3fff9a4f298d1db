"""Take in image files: a scan that is no PDF is a page (or, as TIFF, several) that is only a picture."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from tasks.document import Page, Reading, Reject, Unreadable
from tasks.read.ocr import Picture

if TYPE_CHECKING:
    from PIL import Image

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/tiff"})
#: Resolutions that a scanner may have; one that is not among them, or not told, is taken to be the second figure.
LEAST_DPI, USUAL_DPI, MOST_DPI = 72, 200, 1200
#: What is reduced before it is read: a broadsheet with 200 dots an inch has 14 million pixels.
MOST_PIXELS = 16_000_000


def read_image(data: bytes, media_type: str) -> Reading:
    """Return the pages of an image file, all of them scans: without lines, for these only OCR can tell.

    Raises `Unreadable` (`damaged_image`) for a file that cannot be decoded.
    """
    pages = []
    with _opened(data) as image:
        for number in range(1, getattr(image, "n_frames", 1) + 1):
            image.seek(number - 1)
            points = 72 / _dpi(image)
            pages.append(Page(number, (), image.width * points, image.height * points))
    scans = {page.number: _needs_ocr(page.number) for page in pages}
    return Reading(tuple(pages), media_type, 0, scans=scans)


def draw(data: bytes, numbers: Iterable[int], *, most_pixels: int = MOST_PIXELS) -> Iterator[Picture]:
    """Yield pages of an image file as grey pictures, as OCR wants them; raises as `read_image`."""
    with _opened(data) as image:
        for number in numbers:
            image.seek(number - 1)
            grey = _on_white(image)
            shrink = max(1.0, (grey.width * grey.height / most_pixels) ** 0.5)
            if shrink > 1.0:
                grey = grey.resize((int(grey.width / shrink), int(grey.height / shrink)))
            yield Picture(number, np.asarray(grey), shrink * 72 / _dpi(image))


def _on_white(image: Image.Image) -> Image.Image:
    """Return an image in grey and upright, white where it is transparent."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    layers = image.convert("LA")
    return Image.composite(layers.getchannel("L"), Image.new("L", image.size, 255), layers.getchannel("A"))


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Open an image, and turn whatever its decoder stumbles on into `Unreadable`."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            yield image
    except (MemoryError, Unreadable):
        raise
    except Exception as error:  # noqa: BLE001  decoders raise errors of every kind
        raise Unreadable(
            "damaged_image",
            f"the image cannot be decoded ({type(error).__name__}).",
            "Open it in a viewer: if it shows, save it anew; else scan it or fetch it again.",
            evidence=str(error)[:200],
        ) from None


def _dpi(image: Image.Image) -> float:
    told = image.info.get("dpi", (0, 0))[0]
    return float(told) if LEAST_DPI <= told <= MOST_DPI else USUAL_DPI


def _needs_ocr(number: int) -> Reject:
    return Reject(
        "read",
        "needs_ocr",
        f"page {number} is a picture.",
        "Install the extra `ocr` (make setup-ocr) and run again.",
        evidence=f"page {number}: no characters, a picture on 100%",
    )
