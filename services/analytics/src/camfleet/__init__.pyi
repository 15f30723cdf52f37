# The public names of the library, in the order of docs/library.md. This is the one list of them:
# `from MODULE import NAME as NAME` here makes `from camfleet import NAME` work.

from camfleet.app_config import AppConfig as AppConfig
from camfleet.apps.application import BadApplication as BadApplication
from camfleet.apps.video_streams import video_streams_of as video_streams_of
from camfleet.background import KNN as KNN
from camfleet.background import MOG2 as MOG2
from camfleet.background import get_boundingboxes as get_boundingboxes
from camfleet.background import get_contours as get_contours
from camfleet.drawing.compose import blend_images as blend_images
from camfleet.drawing.compose import cutout_image as cutout_image
from camfleet.drawing.compose import list_files as list_files
from camfleet.drawing.compose import list_images as list_images
from camfleet.drawing.compose import overlay_image as overlay_image
from camfleet.drawing.compose import resize as resize
from camfleet.drawing.compose import safe_hstack as safe_hstack
from camfleet.drawing.filters import filter_predictions_by_area as filter_predictions_by_area
from camfleet.drawing.filters import filter_predictions_by_label as filter_predictions_by_label
from camfleet.drawing.markup import blur_objects as blur_objects
from camfleet.drawing.markup import markup_image as markup_image
from camfleet.drawing.markup import overlay_transparent_boxes as overlay_transparent_boxes
from camfleet.drawing.markup import transparent_overlay_boxes as transparent_overlay_boxes
from camfleet.drawing.shapes import HorizontalTextAlignment as HorizontalTextAlignment
from camfleet.drawing.shapes import TextAlignment as TextAlignment
from camfleet.drawing.shapes import VerticalTextAlignment as VerticalTextAlignment
from camfleet.drawing.shapes import draw_rounded_rectangle as draw_rounded_rectangle
from camfleet.drawing.shapes import draw_text_with_background as draw_text_with_background
from camfleet.errors import BadArgument as BadArgument
from camfleet.errors import BadImage as BadImage
from camfleet.errors import CamfleetError as CamfleetError
from camfleet.errors import CannotShow as CannotShow
from camfleet.errors import NotLoaded as NotLoaded
from camfleet.errors import UnsupportedEngine as UnsupportedEngine
from camfleet.errors import WrongPurpose as WrongPurpose
from camfleet.fps import FPS as FPS
from camfleet.inference.errors import InferenceError as InferenceError
from camfleet.multi_stream import AppFailed as AppFailed
from camfleet.multi_stream import MultiStreamAppInterface as MultiStreamAppInterface
from camfleet.multi_stream import MultiStreamFramework as MultiStreamFramework
from camfleet.object_trackers.algorithm import TrackerAlgorithm as TrackerAlgorithm
from camfleet.object_trackers.centroid import CentroidTracker as CentroidTracker
from camfleet.object_trackers.correlation import CorrelationTracker as CorrelationTracker
from camfleet.object_trackers.correlation import (
    TrackableCorrelationPrediction as TrackableCorrelationPrediction,
)
from camfleet.object_trackers.correlation import TrackingState as TrackingState
from camfleet.object_trackers.errors import CallbackFailed as CallbackFailed
from camfleet.object_trackers.kalman import KalmanTracker as KalmanTracker
from camfleet.object_trackers.kalman import TrackableKalmanPrediction as TrackableKalmanPrediction
from camfleet.object_trackers.matching import match_greedy as match_greedy
from camfleet.object_trackers.results import TrackingResults as TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction as TrackablePrediction
from camfleet.placement.connections import close_connections as close_connections
from camfleet.publishing.errors import BadAnalytics as BadAnalytics
from camfleet.publishing.errors import CannotPublish as CannotPublish
from camfleet.publishing.errors import PacketRateError as PacketRateError
from camfleet.publishing.errors import PacketSizeError as PacketSizeError
from camfleet.publishing.errors import PublishError as PublishError
from camfleet.publishing.errors import PublishRefused as PublishRefused
from camfleet.publishing.events import CompleteTimedEvent as CompleteTimedEvent
from camfleet.publishing.events import CustomEvent as CustomEvent
from camfleet.publishing.events import EndTimedEvent as EndTimedEvent
from camfleet.publishing.events import OccurrenceEvent as OccurrenceEvent
from camfleet.publishing.events import StartTimedEvent as StartTimedEvent
from camfleet.publishing.events import ValueEvent as ValueEvent
from camfleet.publishing.events import generate_event_timestamp as generate_event_timestamp
from camfleet.publishing.packets import load_analytics_results as load_analytics_results
from camfleet.publishing.packets import parse_analytics_packet as parse_analytics_packet
from camfleet.publishing.publisher import analytics_destinations as analytics_destinations
from camfleet.publishing.publisher import publish_analytics as publish_analytics
from camfleet.publishing.publisher import (
    write_object_detection_results_to_analytics_file as write_object_detection_results_to_analytics_file,  # noqa: E501 - one name twice
)
from camfleet.publishing.publisher import (
    write_tracking_results_to_analytics_file as write_tracking_results_to_analytics_file,
)
from camfleet.publishing.serialize import to_json_serializable as to_json_serializable
from camfleet.replay.annotations import parse_coco_annotations as parse_coco_annotations
from camfleet.replay.annotations import parse_cvat_annotations as parse_cvat_annotations
from camfleet.replay.annotations import parse_mot_annotations as parse_mot_annotations
from camfleet.replay.errors import BadAnnotations as BadAnnotations
from camfleet.replay.errors import NoMoreResults as NoMoreResults
from camfleet.replay.errors import ReplayError as ReplayError
from camfleet.replay.identities import IdChangeReport as IdChangeReport
from camfleet.replay.identities import IdSwapReport as IdSwapReport
from camfleet.replay.identities import TrackerPerformanceAnalyzer as TrackerPerformanceAnalyzer
from camfleet.replay.mot import MOTEvaluator as MOTEvaluator
from camfleet.replay.mot import MOTReport as MOTReport
from camfleet.replay.services import ObjectDetectionAnalytics as ObjectDetectionAnalytics
from camfleet.replay.services import TrackerAnalytics as TrackerAnalytics
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
from camfleet.streams.base import VideoStream as VideoStream
from camfleet.streams.errors import NoMoreFrames as NoMoreFrames
from camfleet.streams.errors import StreamError as StreamError
from camfleet.streams.errors import StreamLost as StreamLost
from camfleet.streams.errors import StreamMissing as StreamMissing
from camfleet.streams.errors import StreamNotStarted as StreamNotStarted
from camfleet.streams.file import FileVideoStream as FileVideoStream
from camfleet.streams.jetson import FrameRotation as FrameRotation
from camfleet.streams.jetson import JetsonCameraMode as JetsonCameraMode
from camfleet.streams.jetson import JetsonVideoStream as JetsonVideoStream
from camfleet.streams.network import IPVideoStream as IPVideoStream
from camfleet.streams.webcam import WebcamVideoStream as WebcamVideoStream
from camfleet.streams.webcam import list_webcams as list_webcams
from camfleet.this_machine import find_ncs1 as find_ncs1
from camfleet.this_machine import find_ncs2 as find_ncs2
from camfleet.this_machine import find_nvidia_gpu as find_nvidia_gpu
from camfleet.this_machine import find_usb_device as find_usb_device
from camfleet.this_machine import is_jetson as is_jetson
from camfleet.this_machine import is_jetson_agx_orin as is_jetson_agx_orin
from camfleet.this_machine import is_jetson_agx_xavier as is_jetson_agx_xavier
from camfleet.this_machine import is_jetson_orin_nx as is_jetson_orin_nx
from camfleet.this_machine import is_jetson_xavier_nx as is_jetson_xavier_nx
from camfleet.this_machine import is_opencv_cuda_available as is_opencv_cuda_available
from camfleet.vision.classification import Classification as Classification
from camfleet.vision.codes import BarcodeDetection as BarcodeDetection
from camfleet.vision.codes import QRCodeDetection as QRCodeDetection
from camfleet.vision.engines import Accelerator as Accelerator
from camfleet.vision.engines import Engine as Engine
from camfleet.vision.engines import EngineFallback as EngineFallback
from camfleet.vision.hook_params import (
    ObjectDetectionPostProcessBatchParams as ObjectDetectionPostProcessBatchParams,
)
from camfleet.vision.hook_params import (
    ObjectDetectionPostProcessParams as ObjectDetectionPostProcessParams,
)
from camfleet.vision.hook_params import (
    ObjectDetectionPreProcessBatchParams as ObjectDetectionPreProcessBatchParams,
)
from camfleet.vision.hook_params import (
    ObjectDetectionPreProcessParams as ObjectDetectionPreProcessParams,
)
from camfleet.vision.hook_params import PostProcessBatchParams as PostProcessBatchParams
from camfleet.vision.hook_params import PostProcessParams as PostProcessParams
from camfleet.vision.hook_params import PreProcessBatchParams as PreProcessBatchParams
from camfleet.vision.hook_params import PreProcessParams as PreProcessParams
from camfleet.vision.instance_segmentation import InstanceSegmentation as InstanceSegmentation
from camfleet.vision.model_config import ModelConfig as ModelConfig
from camfleet.vision.object_detection import ObjectDetection as ObjectDetection
from camfleet.vision.pose_estimation import PoseEstimation as PoseEstimation
from camfleet.vision.re_identification import ReIdentification as ReIdentification
from camfleet.vision.semantic_segmentation import SemanticSegmentation as SemanticSegmentation
from camfleet.writers.errors import CannotWrite as CannotWrite
from camfleet.writers.errors import OtherSize as OtherSize
from camfleet.writers.errors import UnknownCodec as UnknownCodec
from camfleet.writers.errors import WriterError as WriterError
from camfleet.writers.mjpg import MjpgVideoWriter as MjpgVideoWriter
from camfleet.writers.rtsp.writer import RtspVideoWriter as RtspVideoWriter
from camfleet.writers.video_file import VideoWriter as VideoWriter
from camfleet.zone_list.config import load_zones_from_config as load_zones_from_config
from camfleet.zone_list.errors import BadZones as BadZones
from camfleet.zone_list.errors import UnknownZone as UnknownZone
from camfleet.zone_list.errors import ZoneError as ZoneError
from camfleet.zone_list.zone import Zone as Zone
from camfleet.zone_list.zone import ZoneType as ZoneType
from camfleet.zone_list.zone import convert_polygon_to_box_zone as convert_polygon_to_box_zone
from camfleet.zone_list.zone import create_bounding_box_from_zone as create_bounding_box_from_zone
from camfleet.zone_list.zone import create_zone_from_bounding_box as create_zone_from_bounding_box
from camfleet.zone_list.zone_list import ZoneList as ZoneList

__version__: str
