"""One sign in one picture, in the layouts of labelling programs and public collections."""

import json
from typing import Any

LINE = "1 0.25 0.4 0.3 0.4\n"
NAMES = "names: [DangerAhead, SpeedLimit]\n"


def coco(*files: str, **more: Any) -> str:
    images = [
        {"id": number, "file_name": name, "width": 200, "height": 100} for number, name in enumerate(files, 1)
    ]
    boxes = [
        {"id": number, "image_id": number, "category_id": 2, "bbox": [20, 20, 60, 40], "iscrowd": 0}
        for number in range(1, len(files) + 1)
    ]
    categories = [
        {"id": 0, "name": "signs"},
        {"id": 1, "name": "DangerAhead"},
        {"id": 2, "name": "SpeedLimit"},
    ]
    return json.dumps({"images": images, "annotations": boxes, "categories": categories} | more)


def voc(file: str = "a.jpg", name: str = "SpeedLimit", size: str = "", box: str = "") -> str:
    size = size or "<size><width>200</width><height>100</height><depth>3</depth></size>"
    box = box or "<bndbox><xmin>20</xmin><ymin>20</ymin><xmax>80</xmax><ymax>60</ymax></bndbox>"
    return (
        f"<annotation><folder>x</folder><filename>{file}</filename>{size}"
        f"<object><name>{name}</name>{box}</object></annotation>"
    )


LAYOUTS: dict[str, tuple[str, dict[str, str]]] = {
    "Roboflow's COCO": ("train/a.jpg", {"train/_annotations.coco.json": coco("a.jpg")}),
    "COCO by way of a table": (
        "a.jpg",
        {
            "x.json": coco(
                "a.jpg", annotations=[{"image_id": 1.0, "category_id": 2.0, "bbox": [20.0, 20, 60, 40]}]
            )
        },
    ),
    "ids as text": (
        "images/a.jpg",
        {"labels/a.txt": LINE, "data.yaml": "names: {'0': DangerAhead, '1': SpeedLimit}"},
    ),
    "COCO's own": ("train2017/a.jpg", {"annotations/instances_train2017.json": coco("a.jpg")}),
    "Label Studio's COCO": ("images/a.jpg", {"result.json": coco("images\\1a2b3c4d-a.jpg")}),
    "CVAT's COCO": ("images/default/a.jpg", {"annotations/instances_default.json": coco("default/a.jpg")}),
    "VOC's own": ("JPEGImages/a.jpg", {"Annotations/a.xml": voc()}),
    "CVAT's VOC": (
        "JPEGImages/x/a.jpg",
        {"Annotations/x/a.xml": voc("x/a.jpg"), "ImageSets/Main/default.txt": "x/a\n", "labelmap.txt": "x"},
    ),
    "LabelImg": ("a.jpg", {"a.xml": voc(r"C:\pictures\a.jpg")}),
    "VOC without suffix": ("images/a.jpg", {"annotations/a.xml": voc("a")}),
    "VOC of a renamed picture": ("images/a.jpg", {"annotations/a.xml": voc("IMG_0001.JPG")}),
    "Ultralytics": (
        "images/train/a.jpg",
        {"labels/train/a.txt": LINE, "data.yaml": f"train: images/train\n{NAMES}"},
    ),
    "a YAML file in capitals": (
        "images/a.jpg",
        {
            "labels/a.txt": LINE.replace("1", "0", 1),
            "Data.YAML": "nc: '2'\nnames: {1: danger_ahead, 0: Speed-Limit}",
        },
    ),
    "Roboflow's YOLO": (
        "train/images/a.jpg",
        {
            "train/labels/a.txt": LINE,
            "data.yaml": f"train: ../train/images\nnc: 2\n{NAMES}",
            "README.roboflow.txt": "x",
        },
    ),
    "written on another machine": (
        "train/images/a.jpg",
        {"train/labels/a.txt": LINE, "data.yaml": f"path: /content/x\ntrain: C:\\x\\train\\images\n{NAMES}"},
    ),
    "Darknet": (
        "obj_train_data/a.jpg",
        {"obj_train_data/a.txt": LINE, "obj.names": "DangerAhead\nSpeedLimit\n"},
    ),
    "text beside the picture": ("a.jpg", {"a.txt": LINE, "classes.txt": "danger ahead\nspeed limit\n"}),
    "Label Studio's YOLO": (
        "images/a.jpg",
        {
            "labels/a.txt": LINE,
            "classes.txt": "DangerAhead\nSpeedLimit\n",
            "notes.json": '{"categories": []}',
        },
    ),
    "capitals": ("images/A.JPG", {"labels/a.TXT": LINE}),
    "a picture saved by a browser": ("images/a.jfif", {"labels/a.txt": LINE}),
    "the picture's whole name": ("images/a.jpg", {"labels/a.jpg.txt": LINE}),
    "a name in percent": ("images/a b.jpg", {"labels/a%20b.txt": LINE}),
    "two forms of one letter": ("images/\u00e9.jpg", {"labels/e\u0301.txt": LINE}),
}
