"""How cards look."""

from __future__ import annotations

from napari_d24fad.viewer.styles import ERROR, GOOD, WARNING, edged

STYLE = f"""
#d24fadCard {{ border: 2px solid transparent; border-radius: 4px; background: rgba(128, 128, 128, 28); }}
#d24fadCard[role="reference"] {{ border-color: {GOOD}; }}
#d24fadCard[role="abnormal"] {{ border: 2px dashed {ERROR}; }}
#d24fadCard[role="query"] {{ border-color: {WARNING}; }}
#d24fadThumbnail {{ background: black; color: #b0b0b0; border-radius: 2px; padding: 0px; }}
#d24fadTitle {{ font-weight: bold; }}
#d24fadCard[selected="true"] {{ background: rgba(255, 176, 32, 60); }}
#d24fadCard[pointed="true"] {{ background: rgba(76, 201, 240, 45); }}
#d24fadPlace {{ background: rgba(0, 0, 0, 160); color: white; padding: 0px 2px; }}
#d24fadNumber {{ background: {GOOD}; color: black; font-weight: bold; padding: 0px 2px; }}
#d24fadCard[role="abnormal"] #d24fadNumber {{ background: {ERROR}; }}
#d24fadNote, #d24fadDetails, #d24fadFlag {{ {edged(WARNING)} }}
"""
