# The public names of the library, in the order of docs/library.md. This is the one list of them:
# `from MODULE import NAME as NAME` here makes `from camfleet import NAME` work.

from camfleet.errors import BadImage as BadImage
from camfleet.errors import CamfleetError as CamfleetError
from camfleet.errors import CannotShow as CannotShow
from camfleet.errors import NotLoaded as NotLoaded
from camfleet.errors import WrongPurpose as WrongPurpose
from camfleet.results.boxes import BoundingBox as BoundingBox
from camfleet.results.classification import ClassificationPrediction as ClassificationPrediction
from camfleet.results.classification import ClassificationResults as ClassificationResults
from camfleet.results.codes import BarcodeDetectionPrediction as BarcodeDetectionPrediction
from camfleet.results.codes import BarcodeDetectionResults as BarcodeDetectionResults
from camfleet.results.codes import QRCodeDetectionPrediction as QRCodeDetectionPrediction
from camfleet.results.codes import QRCodeDetectionResults as QRCodeDetectionResults
from camfleet.results.detection import ObjectDetectionPrediction as ObjectDetectionPrediction
from camfleet.results.detection import ObjectDetectionResults as ObjectDetectionResults
from camfleet.results.identities import ReIdentificationPrediction as ReIdentificationPrediction
from camfleet.results.identities import ReIdentificationResults as ReIdentificationResults
from camfleet.results.poses import HumanPoseResult as HumanPoseResult
from camfleet.results.poses import KeyPoint as KeyPoint
from camfleet.results.poses import Pose as Pose
from camfleet.results.segmentation import (
    InstanceSegmentationPrediction as InstanceSegmentationPrediction,
)
from camfleet.results.segmentation import (
    InstanceSegmentationResults as InstanceSegmentationResults,
)
from camfleet.results.segmentation import (
    SemanticSegmentationResults as SemanticSegmentationResults,
)
from camfleet.streaming.streamer import Streamer as Streamer

__version__: str
